"""Names of common things in other languages: what a word on a note may say that the model's prompts do not."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "ru": "Russian",
    "el": "Greek",
    "zh": "Chinese",
}

# label: German, French, Spanish, Russian, Greek, Chinese
_WORDS: Mapping[str, tuple[str, ...]] = {
    "acoustic guitar": ("Gitarre", "guitare", "guitarra", "гитара", "κιθάρα", "吉他"),
    "apple": ("Apfel", "pomme", "manzana", "яблоко", "μήλο", "苹果"),
    "ball": ("Ball", "ballon", "pelota", "мяч", "μπάλα", "球"),
    "banana": ("Banane", "banane", "plátano", "банан", "μπανάνα", "香蕉"),
    "bed": ("Bett", "lit", "cama", "кровать", "κρεβάτι", "床"),
    "bicycle": ("Fahrrad", "vélo", "bicicleta", "велосипед", "ποδήλατο", "自行车"),
    "bird": ("Vogel", "oiseau", "pájaro", "птица", "πουλί", "鸟"),
    "book": ("Buch", "livre", "libro", "книга", "βιβλίο", "书"),
    "candle": ("Kerze", "bougie", "vela", "свеча", "κερί", "蜡烛"),
    "car": ("Auto", "voiture", "coche", "машина", "αυτοκίνητο", "汽车"),
    "cat": ("Katze", "chat", "gato", "кошка", "γάτα", "猫"),
    "chair": ("Stuhl", "chaise", "silla", "стул", "καρέκλα", "椅子"),
    "coffee mug": ("Kaffeebecher", "tasse à café", "taza de café", "кофейная кружка", "κούπα του καφέ", "咖啡杯"),
    "cow": ("Kuh", "vache", "vaca", "корова", "αγελάδα", "牛"),
    "cup": ("Tasse", "tasse", "taza", "чашка", "φλιτζάνι", "杯子"),
    "dog": ("Hund", "chien", "perro", "собака", "σκύλος", "狗"),
    "envelope": ("Briefumschlag", "enveloppe", "sobre", "конверт", "φάκελος", "信封"),
    "fish": ("Fisch", "poisson", "pez", "рыба", "ψάρι", "鱼"),
    "flower": ("Blume", "fleur", "flor", "цветок", "λουλούδι", "花"),
    "goldfish": ("Goldfisch", "poisson rouge", "pez dorado", "золотая рыбка", "χρυσόψαρο", "金鱼"),
    "hammer": ("Hammer", "marteau", "martillo", "молоток", "σφυρί", "锤子"),
    "horse": ("Pferd", "cheval", "caballo", "лошадь", "άλογο", "马"),
    "hot air balloon": ("Heißluftballon", "montgolfière", "globo aerostático", "воздушный шар", "αερόστατο", "热气球"),
    "house": ("Haus", "maison", "casa", "дом", "σπίτι", "房子"),
    "key": ("Schlüssel", "clé", "llave", "ключ", "κλειδί", "钥匙"),
    "ladybug": ("Marienkäfer", "coccinelle", "mariquita", "божья коровка", "πασχαλίτσα", "瓢虫"),
    "lighthouse": ("Leuchtturm", "phare", "faro", "маяк", "φάρος", "灯塔"),
    "lion": ("Löwe", "lion", "león", "лев", "λιοντάρι", "狮子"),
    "mountain tent": (
        "Bergzelt",
        "tente de montagne",
        "tienda de montaña",
        "горная палатка",
        "ορεινή σκηνή",
        "登山帐篷",
    ),
    "mushroom": ("Pilz", "champignon", "seta", "гриб", "μανιτάρι", "蘑菇"),
    "orange": ("Orange", "orange", "naranja", "апельсин", "πορτοκάλι", "橙子"),
    "sailboat": ("Segelboot", "voilier", "velero", "парусник", "ιστιοφόρο", "帆船"),
    "school bus": ("Schulbus", "bus scolaire", "autobús escolar", "школьный автобус", "σχολικό λεωφορείο", "校车"),
    "strawberry": ("Erdbeere", "fraise", "fresa", "клубника", "φράουλα", "草莓"),
    "table": ("Tisch", "table", "mesa", "стол", "τραπέζι", "桌子"),
    "teapot": ("Teekanne", "théière", "tetera", "заварочный чайник", "τσαγιέρα", "茶壶"),
    "traffic light": ("Ampel", "feu tricolore", "semáforo", "светофор", "φανάρι", "红绿灯"),
    "tree": ("Baum", "arbre", "árbol", "дерево", "δέντρο", "树"),
    "umbrella": ("Regenschirm", "parapluie", "paraguas", "зонт", "ομπρέλα", "雨伞"),
    "wall clock": ("Wanduhr", "horloge murale", "reloj de pared", "настенные часы", "ρολόι τοίχου", "挂钟"),
}


def translated(label: str, language: str, words: Mapping[str, Mapping[str, str]]) -> str | None:
    """`label` in another language: by `words` (language to {label: word}), else the built-in table; None: not known.

    >>> translated("Cat", "de", {}), translated("cat", "de", {"de": {"cat": "Kater"}}), translated("cat", "xx", {})
    ('Katze', 'Kater', None)
    """
    own = words.get(language, {})
    if label in own:
        return own[label]
    row = _WORDS.get(label.casefold())
    return row[list(LANGUAGES).index(language)] if row is not None and language in LANGUAGES else None
