"""Who audits the auditor: audits measured on models that carry a known effect, over many seeds.

plan      what an audit declares: what is planted, at which sizes, and which of its estimates should find it
run       every level of every plan over many seeds; scenario (one run serves many estimates), trial (one of them)
results   what came out, as it is written to `validation.json`; judge: which figures leave their binomial band
stored    the figures that an audit's own package carries, and what findings say where these are bad
words     the same in words, for the terminal, `describe` and the page
"""
