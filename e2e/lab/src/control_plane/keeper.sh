# Looks after the programs of one control plane. Argument: its folder, which has a script for each program in run/.
# Reads commands from a pipe that only the parent holds open, one a line, and answers each with one line:
#   start NAME        runs the script and answers its process id
#   kill NAME         kills it, waits for its end and answers `done`
#   signal NAME SIG   sends it a signal and answers `done` or `failed`
# When the pipe closes, the parent is gone, however it died: all are killed and the folder is removed.

folder=$1

# Ctrl-C and friends are for the parent; a broken answer pipe must not stop the cleaning up.
trap '' INT HUP TERM QUIT PIPE
cd /

start() {
    sh "$folder/run/$1" >>"$folder/log/$1.log" 2>&1 </dev/null &
    echo "$!" | tee "$folder/pid/$1"
}

# A program that nobody has waited for keeps its process id, even when it has ended by itself.
end() {
    [ -e "$1" ] || return 0
    pid=$(cat "$1")
    kill -KILL "$pid"
    wait "$pid"
    rm "$1"
}

while read -r command name signal; do
    case $command in
    start) start "$name" ;;
    kill) end "$folder/pid/$name"; echo done ;;
    signal) kill "-$signal" "$(cat "$folder/pid/$name")" && echo done || echo failed ;;
    esac
done 2>/dev/null

for pidfile in "$folder"/pid/*; do
    end "$pidfile"
done 2>/dev/null
rm -rf "$folder"
