"""For authors of audits: `check_audit` tries a plug-in against the contract, as scikit-learn's check_estimator does.

    from clipaudit.testing import check_audit
    check_audit(MyAudit, dataset)
    estimates(MyAudit, "null?seed=1")  # and `estimates` gives what it finds on a model

trial     an audit on one model, without a run directory
check     the order in which the rules are tried
spy       a model that writes down what it is asked, and fails on chosen images
rules_*   the rules: declaration, plan and workload, rows, scores, figures
"""

from clipaudit.testing.check import check_audit
from clipaudit.testing.findings import AuditCheckError
from clipaudit.testing.trial import estimates

__all__ = ["AuditCheckError", "check_audit", "estimates"]
