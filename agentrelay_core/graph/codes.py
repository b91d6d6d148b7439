"""The codes of what can be wrong with a graph file, each naming one kind of mistake for good.

AR1xx: the text and its YAML. AR2xx: keys and values. AR3xx: the graph as a whole (``spec/problems.py``).
AR4xx: valid, but not with what is installed here; these are warnings.
"""

UNREADABLE_FILE = "AR101"
FILE_TOO_LARGE = "AR102"
NOT_UTF8 = "AR103"
CONTROL_CHARACTER = "AR104"
YAML_SYNTAX = "AR105"
SECOND_DOCUMENT = "AR106"
ALIAS = "AR107"
TAG = "AR108"
TOO_DEEP = "AR109"
TOO_MANY = "AR110"
EMPTY_FILE = "AR111"
MORE_PROBLEMS = "AR199"

UNKNOWN_KEY = "AR201"
DUPLICATE_KEY = "AR202"
WRONG_TYPE = "AR203"
BAD_VALUE = "AR204"
MISSING_KEY = "AR205"
KEYS_EXCLUDE = "AR206"
UNKNOWN_AGENT = "AR207"

FRAMEWORK_NOT_INSTALLED = "AR401"
ENVIRONMENT_NOT_INSTALLED = "AR402"
FORGE_NOT_INSTALLED = "AR403"
NOT_HONOURED = "AR404"
