#!/usr/bin/env bash
# Makes room where the target folder lies, if there is little: removes what cargo makes again, what it misses least first. A full
# disk otherwise ends a run in the middle, as a failure of whichever database wanted to write next.
set -euo pipefail

target=${CARGO_TARGET_DIR:-$HOME/.cache/kyb/target}
wanted=${ROOM_GB:-25} # all of the test binaries, their servers' data and the images of a region
mkdir -p "$target"

room() { df --output=avail --block-size=1G "$target" | tail -1 | tr -d ' '; }
for part in "$target"/*/incremental "$target"/*/*/incremental "$target/debug" "$target"/*/debug/deps "$target/release"; do
    (($(room) < wanted)) || break
    [[ -e $part ]] || continue
    echo "room: $(room) GB are free of the $wanted wanted; removing ${part#"$target"/}" >&2
    rm -rf "$part"
done
if (($(room) < wanted / 2)); then
    echo "room: only $(room) GB are free where $target lies, and $((wanted / 2)) are needed; make room, or set CARGO_TARGET_DIR" >&2
    exit 1
fi
