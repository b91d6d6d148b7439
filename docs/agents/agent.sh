#!/bin/sh
# An agent in shell: it reads its instructions, works in the directory that it was started in, and signals its end.
set -eu

now() { date -u +%FT%TZ; }

if ! test -s "$AGENTRELAY_INSTRUCTIONS"; then
    printf '%s\n%s\n' "$(now)" "there are no instructions" > "$AGENTRELAY_SIGNAL_DIR/.failed"
    exit 1
fi

: > "$AGENTRELAY_SIGNAL_DIR/heartbeat" # "I work", for as long as nothing is printed
words=$(wc -w < "$AGENTRELAY_INSTRUCTIONS")
echo "$AGENTRELAY_TASK_ID: $((words)) words" > words.txt

echo "Numbers were counted as words." >> "$AGENTRELAY_SIGNAL_DIR/concerns.log"
printf '%s\n\n' "$(now)" > "$AGENTRELAY_SIGNAL_DIR/.done"
