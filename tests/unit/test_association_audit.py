"""The association audit from tests to estimates: all directions, rows and re-scoring, faults of input, sentences."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.social_bias.association import Association, AssociationParams
from clipaudit_audits.social_bias.association_estimates import EFFECT, PUBLISHED, SINGLE
from clipaudit_audits.social_bias.association_tests import load_tests, parse_tests

from clipaudit.contract import Cell, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.errors import DataError, UsageError
from clipaudit.models.protocol import Embedded
from clipaudit.results import DataInfo, Estimate, Interval, Status

DIM = 16


class Item:
    def __init__(self, id: str, **attributes: str) -> None:
        self.id = id
        self.attributes = attributes
        self.digest = id


class Toy:
    """Vectors by name; those whose name holds a key of `pulls` lie farther along the first axis by that much."""

    capabilities = frozenset({Need.EMBEDDINGS})

    def __init__(self, pulls: dict[str, float] | None = None, broken: Sequence[str] = ()) -> None:
        self.pulls = pulls or {}
        self.broken = broken

    def embed_images(self, images: Sequence[Item]) -> Embedded:
        return self._embedded([image.id for image in images])

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        return self._embedded(texts)

    def _embedded(self, names: Sequence[str]) -> Embedded:
        rows = []
        for name in names:
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
            row = np.random.default_rng(seed).standard_normal(DIM)
            row[0] += sum(pull for key, pull in self.pulls.items() if key in name)
            rows.append(np.full(DIM, np.nan) if name in self.broken else row / np.linalg.norm(row))
        errors = tuple("cannot be read" if name in self.broken else None for name in names)
        return Embedded(np.array(rows), errors)


PULLS = {"x": 1.5, "y": -1.5, "a": 2.5, "b": -2.5}


def dataset(items: list[Item], cluster: str | None = None) -> Dataset:
    info = DataInfo(id="mine", title="Mine", digest="0", items=len(items), licence="CC0-1.0", consent="drawings")
    return Dataset(info, items, tuple(items[0].attributes), cluster)


def images(groups: Sequence[str], n: int) -> list[Item]:
    return [Item(f"{g}{i:02d}.png", group=g) for g in groups for i in range(n)]


def toml(kinds: dict[str, str], n: int = 8, extra: str = "") -> str:
    lines = [f'[[tests]]\nname = "one"\nX = "x"\nY = "y"\nA = "a"\nB = "b"\n{extra}']
    for name in "xyab":
        words = [f"{name}{i:02d}" for i in range(n)]
        content = f"words = {words}" if kinds[name] == "text" else f'images = {{ group = "{name}" }}'
        lines.append(f'[sets.{name}]\nlabel = "the {name} set"\n{content}\n')
    return "\n".join(lines)


TEXT = dict.fromkeys("xyab", "text")


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Cell]:
    def plan(text: str, data: Dataset | None = None, **params: object) -> Cell:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        values = AssociationParams.model_validate(
            {"preset": str(path), "templates": ("{}",), "permutations": 1000, **params}
        )
        return Association().plan(PlanContext(values, 3, data))[0]

    return plan


def audited(cell: Cell, model: Toy) -> tuple[pa.Table, list[Estimate]]:
    rows = Association().run(cell, model)
    return rows, Association().score(replace(cell, dataset=None), rows)


@pytest.mark.parametrize(
    ("targets", "attributes"), [("image", "image"), ("image", "text"), ("text", "text"), ("text", "image")]
)
def test_all_four_directions_find_the_same_planted_sign(
    targets: str, attributes: str, planned: Callable[..., Cell]
) -> None:
    kinds = {"x": targets, "y": targets, "a": attributes, "b": attributes}
    used = [name for name in "xyab" if kinds[name] == "image"]
    cell = planned(toml(kinds, 12), dataset(images(used, 12)) if used else None)
    main = audited(cell, Toy(PULLS))[1][0]
    assert main.status is Status.EFFECT
    assert main.interval.low > 0
    assert main.value > 1
    assert f"12 and 12 {'images' if targets == 'image' else 'words'} against" in main.sentence
    assert "“the x set” leans more towards “the a set”" in main.sentence
    work = Association().workload(cell)
    assert (len(work.images), len(work.texts)) == (12 * len(used), 12 * (4 - len(used)))
    swapped = audited(cell, Toy({**PULLS, "x": -1.5, "y": 1.5}))[1][0]
    assert swapped.interval.high < 0
    assert "“the x set” leans more towards “the b set”" in swapped.sentence


def test_scoring_anew_from_stored_rows_gives_the_same(planned: Callable[..., Cell], tmp_path: Path) -> None:
    cell = planned(toml(TEXT), None)
    rows, estimates = audited(cell, Toy(PULLS))
    pq.write_table(rows, tmp_path / "rows.parquet")
    (tmp_path / "mine.toml").unlink()  # an edited or lost file of tests must not matter any more
    params = AssociationParams.model_validate(json.loads(cell.params.model_dump_json()))
    stored = Cell(cell.spec, params, cell.seed, cell.data, cell.title)
    back = pq.read_table(tmp_path / "rows.parquet")
    assert Association().score(stored, back) == estimates
    again = Association().figures(stored, back, estimates)
    assert [f.id for f in again] == ["tests", "single-category"]
    assert again == Association().figures(cell, rows, estimates)


def test_rows_in_another_order_say_the_same(planned: Callable[..., Cell]) -> None:
    cell = planned(toml(TEXT))
    rows, estimates = audited(cell, Toy(PULLS))
    shuffled = rows.take(np.random.default_rng(0).permutation(rows.num_rows))
    assert Association().score(cell, shuffled) == estimates


def test_rows_hold_each_cosine_once(planned: Callable[..., Cell]) -> None:
    text = toml(TEXT) + '[[tests]]\nname = "two"\nX = "y"\nY = "x"\nA = "a"\nB = "b"\n'
    rows, _ = audited(planned(text), Toy())
    assert rows.num_rows == 4 * 8
    sets = {line["set"]: dict(line["cosines"]) for line in rows.to_pylist()}
    assert {name: sorted(blocks) for name, blocks in sets.items()} == {
        "x": ["a", "b"],
        "y": ["a", "b"],
        "a": [],
        "b": [],
    }
    assert {"item", "error"} <= set(rows.column_names)


def test_order_of_tests_words_and_images_changes_nothing(planned: Callable[..., Cell]) -> None:
    kinds = {"x": "image", "y": "image", "a": "text", "b": "text"}
    items = images("xy", 15)
    _, forward = audited(planned(toml(kinds), dataset(items)), Toy(PULLS))
    text = toml(kinds).replace(
        "words = [" + ", ".join(f"'a{i:02d}'" for i in range(8)),
        "words = [" + ", ".join(f"'a{i:02d}'" for i in reversed(range(8))),
    )
    assert text != toml(kinds)
    _, backward = audited(planned(text, dataset(items[::-1])), Toy(PULLS))
    for one, other in zip(forward, backward, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert one.test == other.test
        assert one.interval.low == pytest.approx(other.interval.low, abs=1e-9)


def test_unreadable_stimuli_are_error_rows_and_are_left_out(planned: Callable[..., Cell]) -> None:
    kinds = {"x": "image", "y": "image", "a": "text", "b": "text"}
    data = dataset(images("xy", 12))
    cell = planned(toml(kinds), data)
    rows, estimates = audited(cell, Toy(PULLS, broken=("x03.png", "b05")))
    assert {line["item"]: line["error"] for line in rows.to_pylist() if line["error"]} == {
        "x03.png": "cannot be read", "b05": "cannot be read",
    }  # fmt: skip
    without = toml(kinds).replace("'b05', ", "")
    smaller = planned(without, dataset([image for image in data.images if image.id != "x03.png"]))
    _, expected = audited(smaller, Toy(PULLS))
    assert [e.value for e in estimates] == pytest.approx([e.value for e in expected], abs=1e-12)
    assert [e.test.p for e in estimates] == [e.test.p for e in expected]
    assert estimates[0].n == 23


def test_identities_on_both_sides_are_compared_in_pairs(planned: Callable[..., Cell]) -> None:
    items = [
        Item(f"{g}{i}-{view}.png", group=g, identity=f"id {i}") for g in "xy" for i in range(9) for view in range(3)
    ]
    items.append(Item("x99.png", group="x", identity="id 99"))  # on one side only
    cell = planned(toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset(items, "identity"))
    main = audited(cell, Toy(PULLS))[1][0]
    assert (main.clusters, main.n, main.cluster_key) == (9, 54, "identity")
    assert main.test.method.startswith("exact sign-flip permutation (512 patterns")
    assert main.test.smallest_p == pytest.approx(2 / 512)
    assert any("1 units" in note or "left out" in note for note in main.notes)
    assert "9 identities, each in both sets (54 images) against 8 and 8 words" in main.sentence


def test_words_in_several_templates_are_one_unit(planned: Callable[..., Cell]) -> None:
    main = audited(planned(toml(TEXT), templates=("{}", "a {}.", "this is {}")), Toy())[1][0]
    assert (main.n, main.clusters) == (48, 16)
    assert main.test.method.startswith("exact permutation (12,870 partitions)")


def test_copies_of_the_images_do_not_narrow_the_interval(planned: Callable[..., Cell]) -> None:
    """A model that sees no difference between the views of one identity knows nothing more from twenty of them."""

    class SameViews(Toy):
        def embed_images(self, images: Sequence[Item]) -> Embedded:
            return self._embedded([image.id.split("-")[0] for image in images])

    def width(views: int) -> float:
        items = [
            Item(f"{g}{i:02d}-{view}.png", group=g, identity=f"{g} {i}")
            for g in "xy" for i in range(12) for view in range(views)
        ]  # fmt: skip
        cell = planned(toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset(items, "identity"))
        main = audited(cell, SameViews(PULLS))[1][0]
        assert (main.n, main.clusters) == (24 * views, 24)
        return main.interval.high - main.interval.low

    assert width(20) == pytest.approx(width(1), rel=0.05)


def test_exchanged_groups_turn_the_sign_and_nothing_else(planned: Callable[..., Cell]) -> None:
    text = toml({"x": "image", "y": "image", "a": "text", "b": "text"}, 12)
    found = []
    for other in ({"x": "x", "y": "y"}, {"x": "y", "y": "x"}):
        items = [Item(f"{g}{i:02d}.png", group=other[g]) for g in "xy" for i in range(12)]
        found.append(audited(planned(text, dataset(items)), Toy({"x": 0.3}))[1][0])
    assert found[0].value == pytest.approx(-found[1].value, abs=1e-12)
    assert found[0].test.p == pytest.approx(found[1].test.p, abs=0.03)  # Monte Carlo of 1,000
    assert found[0].interval.low == pytest.approx(-found[1].interval.high, abs=0.15)


@pytest.mark.parametrize(("n", "status"), [(3, Status.TOO_SMALL), (1, Status.TOO_SMALL), (4, Status.EFFECT)])
def test_small_sets_are_too_small_not_fair(n: int, status: Status, planned: Callable[..., Cell]) -> None:
    main = audited(planned(toml(TEXT, n)), Toy({"x": 30.0, "y": -30.0, "a": 30.0, "b": -30.0}))[1][0]
    assert main.status is status
    if status is Status.TOO_SMALL:
        assert main.interval is None
        assert "Not judged: too few" in main.sentence
        assert main.test is None or main.test.p_adjusted is None
    else:
        assert main.test.p == pytest.approx(2 / 70)


def test_a_set_that_lost_all_its_images_is_too_small_and_the_others_are_judged(planned: Callable[..., Cell]) -> None:
    text = toml({"x": "image", "y": "image", "a": "text", "b": "text"})
    text += '[[tests]]\nname = "two"\nX = "x"\nY = "gone"\nA = "a"\nB = "b"\n[sets.gone]\nimages = { group = "z" }\n'
    _, estimates = audited(planned(text, dataset(images("xy", 8))), Toy(PULLS))
    by_name = {e.title: e for e in estimates if e.metric == EFFECT}
    assert by_name["one"].status is Status.EFFECT
    assert by_name["one"].test.correction == "one test, not corrected"
    assert by_name["two"].status is Status.TOO_SMALL
    assert by_name["two"].value is None
    assert "gone: 0 images" in by_name["two"].sentence


def test_an_empty_set_in_every_test_names_the_value_that_no_item_has(planned: Callable[..., Cell]) -> None:
    cell = planned(toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset(images(["xx", "y"], 8)))
    with pytest.raises(DataError, match=r"no item of data set 'mine' has group = 'x'"):
        Association().workload(cell)


def test_identical_embeddings_have_no_effect_size(planned: Callable[..., Cell]) -> None:
    class Constant(Toy):
        def _embedded(self, names: Sequence[str]) -> Embedded:
            return Embedded(np.tile(np.eye(DIM)[0], (len(names), 1)), (None,) * len(names))

    estimates = audited(planned(toml(TEXT)), Constant())[1]
    assert estimates[0].value is None
    assert estimates[0].test is None
    assert "no spread" in estimates[0].sentence
    assert any("identical to an attribute" in note for note in estimates[0].notes)
    assert [
        f.id for f in Association().figures(planned(toml(TEXT)), audited(planned(toml(TEXT)), Constant())[0], estimates)
    ] == []


def test_a_family_too_large_for_its_sets_says_so(planned: Callable[..., Cell]) -> None:
    tests = "".join(f'[[tests]]\nname = "t{i}"\nX = "x"\nY = "y"\nA = "a"\nB = "b"\n' for i in range(2))
    text = tests + toml(TEXT, 4)
    strong = Toy({"x": 30.0, "y": -30.0, "a": 30.0, "b": -30.0})
    main = audited(planned(text), strong)[1][0]
    assert main.status is Status.NO_EFFECT
    assert main.test.p == pytest.approx(2 / 70)
    assert "No result could have been significant here: of 3 tests" in main.sentence
    assert "once it is counted how many tests were made" in main.sentence
    family = audited(planned(text, correction="benjamini-hochberg"), strong)[1][0]
    assert family.status is Status.EFFECT


def test_controls_are_a_family_of_their_own_and_speak_of_the_measurement(planned: Callable[..., Cell]) -> None:
    text = toml(TEXT, extra='role = "control"\n') + '[[tests]]\nname = "two"\nX = "x"\nY = "y"\nA = "b"\nB = "a"\n'
    control, primary = audited(planned(text), Toy(PULLS))[1][:2]
    assert (control.role, primary.role) == ("control", "primary")
    assert control.test.correction == "one test, not corrected"
    assert control.sentence.startswith("Check passed: as expected, ")
    quiet = audited(planned(text), Toy())[1][0]
    assert quiet.sentence.startswith("Check not passed: ")
    reversed_ = audited(planned(text), Toy({**PULLS, "x": -1.5, "y": 1.5}))[1][0]
    assert reversed_.sentence.startswith("Check not passed: against expectation, ")


def test_single_category_tests_tell_which_side_carries_a_difference(planned: Callable[..., Cell]) -> None:
    _, estimates = audited(planned(toml(TEXT, 12)), Toy({"x": 4.0, "a": 2.5, "b": -2.5}))
    x, y = (e for e in estimates if e.metric == SINGLE)
    assert (x.title, x.role) == ("the x set: the a set / the b set", "secondary")
    assert x.status is Status.EFFECT
    assert x.test.correction == "Benjamini-Hochberg over 2 single-category tests"
    assert x.value > 1
    assert x.interval.low > 0 > y.interval.low
    assert "the sign could change" not in x.sentence
    assert y.interval.high > 0  # the draw of its twelve words leans one way, as others might not
    assert y.status is not Status.EFFECT or "the sign could change" in y.sentence
    assert not [e for e in audited(planned(toml(TEXT), single_category=False), Toy())[1] if e.metric == SINGLE]


def test_the_gallery_shows_the_ends_of_the_strongest_finding(planned: Callable[..., Cell]) -> None:
    cell = planned(toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset(images("xy", 12)))
    rows, estimates = audited(cell, Toy({**PULLS, "x07": 9.0, "y02": -9.0}))
    gallery = Association().figures(cell, rows, estimates)[-1]
    assert gallery.id == "extremes"
    items = [entry.items[0] for entry in gallery.entries]
    assert (items[0], items[3]) == ("x07.png", "y02.png")
    assert [item[0] for item in items] == ["x"] * 3 + ["y"] * 3


def test_max_items_keeps_that_many_images_of_a_set(planned: Callable[..., Cell]) -> None:
    cell = planned(
        toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset(images("xy", 40)), max_items=10
    )
    assert len(Association().workload(cell).images) == 20
    assert audited(cell, Toy())[1][0].n == 20


def test_an_interval_that_holds_zero_beside_a_finding_is_explained(planned: Callable[..., Cell]) -> None:
    from clipaudit_audits.social_bias.association_sentences import _fragile

    main = audited(planned(toml(TEXT)), Toy(PULLS))[1][0]
    assert _fragile(main, "attributes") == ""
    loose = main.model_copy(update={"interval": Interval(low=-0.1, high=1.0, method="BCa")})
    assert "the sign could change" in _fragile(loose, "attributes")


def test_an_edited_file_is_another_cell_and_is_refused_halfway(planned: Callable[..., Cell], tmp_path: Path) -> None:
    cell = planned(toml(TEXT))
    (tmp_path / "mine.toml").write_text(toml(TEXT).replace("'a00'", "'other'"))
    with pytest.raises(DataError, match="have changed since the run was planned"):
        Association().run(cell, Toy())
    edited = Association().plan(PlanContext(cell.params.model_copy(update={"digest": ""}), 3, None))[0]
    assert edited.key("model") != cell.key("model")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[tests", "mine: malformed TOML"),
        ('[[tests]]\nname = "t"\nX = "x"\nY = "x"\nA = "x"\nB = "bx"\n[sets.x]\nwords = ["w"]', "no set 'bx' for B"),
        ('[[tests]]\nname = "t"\n[sets.x]\nwords = ["w"]', "mine: tests.0.X: Field required"),
        ("[sets.x]\nwords = ['w']", "tests: Field required"),
        (toml(TEXT).replace("'a00'", "'b00'"), "'b00' is in both A and B"),
        (toml(TEXT).replace("'a00'", "'a01'"), "holds 'a01' twice"),
        (toml(TEXT) + "[sets.z]\n", "sets.z: needs either words"),
        (toml(TEXT).replace('label = "the x set"', 'colour = "red"'), "sets.x.colour: Extra inputs"),
        (toml(TEXT) + '[[tests]]\nname = "one"\nX = "x"\nY = "y"\nA = "a"\nB = "b"\n', "two tests are called 'one'"),
    ],
)
def test_a_malformed_file_is_one_line_that_names_the_fault(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_tests(text, "mine")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_do_not_exist_offer_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean weat"):
        load_tests("weet", None)
    with pytest.raises(UsageError, match=r"there is no file"):
        load_tests(str(tmp_path / "none.toml"), None)
    with pytest.raises(UsageError, match=r"no preset for data set 'mine'"):
        load_tests("auto", dataset(images("x", 3)))
    with pytest.raises(UsageError, match=r"give the audit a data set"):
        load_tests("avatars", None)
    with pytest.raises(UsageError, match=r"defined by the data set 'ieat'"):
        load_tests("ieat", None)


def test_words_alone_take_no_data_set(planned: Callable[..., Cell]) -> None:
    with_data = planned(toml(TEXT), dataset(images("x", 3)))
    assert with_data.data is None
    assert with_data == planned(toml(TEXT))
    assert not Association().workload(with_data).images


def test_cells_without_data_are_told_apart_by_their_tests(tmp_path: Path) -> None:
    (tmp_path / "My tests.toml").write_text(toml(TEXT))
    named = {"weat": "weat", "seat": "seat", "auto": "seat", str(tmp_path / "My tests.toml"): "my-tests"}
    for preset, part in named.items():
        params = Association.spec.params(preset=preset)
        (cell,) = Association().plan(PlanContext(params, 0))
        assert cell.slug == f"association.{part}"
        assert replace(cell, dataset=None).slug == cell.slug  # as when scoring anew


def test_a_missing_column_is_named_with_the_nearest(planned: Callable[..., Cell]) -> None:
    cell = planned(toml({"x": "image", "y": "image", "a": "text", "b": "text"}), dataset([Item("i", groups="x")]))
    with pytest.raises(DataError, match=r"no column 'group'; did you mean groups"):
        Association().workload(cell)


def test_published_results_come_from_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "tests.csv").write_text("test,X,Y,A,B\nT,c/x,c/y,c/a,c/b\n")
    (tmp_path / "published.csv").write_text("Test,Model,d,p\nT,their model,0.5,0.04\n")
    items = [Item(f"{g}{i}", category="c", concept=g) for g in "xyab" for i in range(8)]
    resources = {"tests": tmp_path / "tests.csv", "published": tmp_path / "published.csv"}
    data = replace(dataset(items), info=dataset(items).info.model_copy(update={"id": "ieat"}), resources=resources)
    cell = Association().plan(PlanContext(AssociationParams(), 0, data))[0]
    estimates = audited(cell, Toy(PULLS))[1]
    published = next(e for e in estimates if e.metric == PUBLISHED)
    assert published.role == "preset"
    assert (published.references[0].value, published.references[0].label) == (0.5, "their model, published")
    assert published.test.alternative == "greater"
    (tmp_path / "tests.csv").write_text("test,X,Y,A\nT,c/x,c/y,c/a\n")
    with pytest.raises(DataError, match=r"line 2 has no 'B'"):
        load_tests("ieat", data)
