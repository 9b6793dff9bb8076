# Looks after one throw-away PostgreSQL. Arguments: folder of the binaries, folder of the server.
# Reads commands from a pipe that only the parent holds open, and answers each with `done` or `failed`. When the pipe
# closes, the parent is gone, however it died: the server is stopped and its folder removed.

bin=$1
folder=$2
data=$folder/data
server=

# Ctrl-C and friends are for the parent; a broken answer pipe must not stop the cleaning up.
trap '' INT HUP TERM QUIT PIPE
export LC_ALL=C
umask 077
cd /

# The state of process $1 as /proc tells it: a letter, or nothing if it is gone.
state() {
    { read -r _ _ letter _ <"/proc/$1/stat"; } 2>/dev/null && echo "$letter"
}

# Neither gone nor a zombie.
alive() {
    case $(state "$1") in
    '' | Z) return 1 ;;
    esac
}

# Waits for process $1 to end, at most $2 fiftieths of a second.
await_end() {
    left=$2
    while alive "$1"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.02
    done
}

# Waits until process $1 has stopped, at most 10 s. A signal only asks for that: what the process is in the middle of,
# such as starting a child, it finishes first.
await_stop() {
    left=500
    until [ "$(state "$1")" = T ]; do
        alive "$1" && [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.02
    done
}

# Kills the server and all its children at once. Stopped first, so that it starts no further child meanwhile: one that
# were missed would go on with the data, and a server started again would refuse them.
kill_all() {
    kill -STOP "$server" 2>/dev/null
    await_stop "$server"
    children=
    for stat in /proc/[0-9]*/stat; do
        { read -r pid _ _ parent _ <"$stat"; } 2>/dev/null || continue
        [ "$parent" = "$server" ] && children="$children $pid"
    done
    # shellcheck disable=SC2086 # one argument a process
    kill -KILL "$server" $children 2>/dev/null
    for pid in $server $children; do
        await_end "$pid" 500
    done
    await_detached
}

# The System V shared memory segment by which a server knows that another one still uses its data: line 7 of
# postmaster.pid names its key and id.
segment() {
    sed -n 7p "$data/postmaster.pid" 2>/dev/null | awk '{print $2}'
}

# Waits until no process is attached to the segment, at most 10 s: memory goes a moment after its process where the
# system or somebody who looks at the process still holds it, and a server started meanwhile would refuse the data.
await_detached() {
    id=$(segment)
    left=500
    while [ "$left" -gt 0 ] &&
        awk -v id="$id" '$2 == id && $7 > 0 { used = 1 } END { exit !used }' /proc/sysvipc/shm 2>/dev/null; do
        left=$((left - 1))
        sleep 0.02
    done
}

# Sends signal $1 and waits for the server to end; a server that takes longer than 10 s is killed.
end_server() {
    [ -n "$server" ] || return 0
    if alive "$server"; then
        kill "-$1" "$server" 2>/dev/null
        await_end "$server" 500 || kill_all
    fi
    wait "$server" 2>/dev/null
    server=
}

start_server() {
    "$bin/postgres" -D "$data" -p "$1" >>"$folder/log" 2>&1 </dev/null &
    server=$!
    left=3000
    # The eighth line of postmaster.pid says `ready` once connections are accepted.
    until [ "$(head -n 1 "$data/postmaster.pid" 2>/dev/null)" = "$server" ] &&
        sed -n 8p "$data/postmaster.pid" 2>/dev/null | grep -q ready; do
        left=$((left - 1))
        if ! alive "$server" || [ "$left" -le 0 ]; then
            end_server KILL
            return 1
        fi
        sleep 0.02
    done
}

make_cluster() {
    "$bin/initdb" --pgdata="$data" --username=postgres --pwfile="$folder/password" --auth=scram-sha-256 \
        --encoding=UTF8 --no-locale --no-sync --no-instructions >>"$folder/log" 2>&1 </dev/null &&
        rm "$folder/password" &&
        cat "$folder/settings" >>"$data/postgresql.conf"
}

crash_server() {
    [ -n "$server" ] || return 0
    kill_all
    wait "$server" 2>/dev/null
    server=
}

# A killed server leaves its segment.
remove_segment() {
    id=$(segment)
    [ -z "$id" ] || ipcrm -m "$id" 2>/dev/null
}

while read -r command port; do
    case $command in
    init) make_cluster ;;
    start) start_server "$port" ;;
    stop) end_server INT ;;
    crash) crash_server ;;
    *) false ;;
    esac && echo done || echo failed
done 2>/dev/null

end_server QUIT
remove_segment
rm -rf "$folder"
