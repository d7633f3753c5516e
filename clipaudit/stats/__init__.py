"""Statistics that the audits share, over scipy and statsmodels. Each result is a type of `clipaudit.results`.

intervals    Wilson interval of a plain proportion
bootstrap    BCa intervals; units may be clusters and may come in strata
paired       McNemar exact, sign-flip permutation
permutation  two samples, re-partitioned: exact or Monte Carlo
multiple     Holm and Benjamini-Hochberg over a family of estimates
power        minimum detectable effects
null         what chance alone gives, from draws
gap          largest difference between groups: permutation, simultaneous bound, variance without noise
gap_rates, gap_permutation, gap_bounds, gap_variance   its parts
ranking      skew, NDKL, bias and entropy of rankings
ranking_resample  the same under permuted labels and resampled items, many at once
"""
