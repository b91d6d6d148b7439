#!/bin/sh
# The agent of the demo: it really changes files, as its task says. A coding agent would stand in its place.
set -eu

echo "working on $AGENTRELAY_TASK_ID"

case "$AGENTRELAY_TASK_ID" in
spec)
    printf '# counter\n\nThe counter prints how many lines it read. It never goes below zero.\n' > spec.md
    ;;
counter)
    if grep -q 'counted 6' "$AGENTRELAY_INSTRUCTIONS"; then
        echo "the gate says that it counts wrongly; mending it"
        printf 'count=0\nwhile read -r line; do count=$((count + 1)); done\necho "$count"\n' > counter.sh
    else
        printf 'count=0\nwhile read -r line; do count=$((count + 2)); done\necho "$count"\n' > counter.sh
    fi
    ;;
tests)
    printf 'test "$(printf "one\\ntwo\\n" | sh counter.sh)" = 2\n' > check.sh
    printf 'test "$(sh counter.sh < /dev/null)" = 0\n' >> check.sh
    ;;
guide)
    { echo "How to use the counter"; echo; sed 's/^# /About the /' spec.md; } > guide.md
    ;;
example)
    printf 'Two lines were given to the counter. It printed %s.\n' "$(printf 'a\nb\n' | sh counter.sh)" > example.md
    ;;
*)
    # Any other task: its own file, with what there is so far.
    { echo "$AGENTRELAY_TASK_ID: the files so far are"; ls; } > "$AGENTRELAY_TASK_ID.md"
    ;;
esac
