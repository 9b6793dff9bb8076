#!/usr/bin/env bash
# Runs a test program for cargo. Those that take longest, mostly since they wait for leases, pods and other controllers, go on beside the
# others, one after the other, if BESIDE names a folder for what they print; test.sh waits for them at its end.
set -euo pipefail

program=$(basename "$1")
case ${program%-*} in
confusion | faults | leader | region) [[ -n ${BESIDE:-} ]] || exec "$@" ;;
*) exec "$@" ;;
esac

output=$BESIDE/$program
echo "goes on beside the other tests; what it prints comes at the end"
exec 8>"$BESIDE/running"
flock --shared 8 # until it has ended, however it ends
set -m           # a group of its own, by which it can be ended
{
    exec 9>"$BESIDE/turn"
    flock 9
    echo "     Running $program beside the others" >"$output.log"
    status=0
    "$@" 8>&- 9>&- >>"$output.log" 2>&1 || status=$?
    echo "$status" >"$output.status"
    rm "$output.group"
} </dev/null >/dev/null 2>&1 &
echo $! >"$output.group"
touch "$output.started"
