# Runs one program and ends with its exit code. Arguments: its log file, the program, the program's arguments.
# Standard input is a pipe that only the parent holds open: when it closes, the parent is gone, however it died, and
# the program is killed. The first line of standard output is the program's process id.

log=$1
shift
exec 3<&0 </dev/null # a background job would get /dev/null as its input, so the pipe moves to 3

"$@" >>"$log" 2>&1 3<&- &
program=$!
echo "$program"

{
    read -r _ <&3
    kill -KILL "$program"
} >/dev/null 2>&1 &
watcher=$!

wait "$program"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
