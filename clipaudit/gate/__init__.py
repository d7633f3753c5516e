"""The gate: does a run keep a policy? PASS and FAIL are proven; what is neither is INCONCLUSIVE.

policy.py      gate.toml, typed            results.py    gate.json, typed: what every rendering reads
trust.py       is this run whole, as written, and comparable with the baseline?
select.py      which estimates a rule is about
measured.py    a value with its ends, and how far it is from a bound
paired.py      the change between two runs, by the same items where the audit tells what each contributes
rules.py       what is allowed against what was measured; holm.py one level over all rules
waivers.py     who let what through, until when
judge.py       all of it, in order
"""
