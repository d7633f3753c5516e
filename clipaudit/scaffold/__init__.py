"""New files to start from: `new_audit` makes a plug-in package, `init` the files with which a repository gates a model.

write.py        folders of templates, filled in and written without overwriting anything
audit.py        `clipaudit new-audit`
project.py      `clipaudit init`
templates/      the files
"""
