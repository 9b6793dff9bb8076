# Sourced by what builds and runs tests: static, as images need the programs. So those that are built for the tests run in the tests'
# regions too, and nothing is built twice. A platform has to be named, since macros, which the compiler loads, can't be static.
# Afterwards `platform` is the prefix of the platform's own variables.
platform=
if [[ $(uname) == Linux ]]; then
    export CARGO_BUILD_TARGET=${CARGO_BUILD_TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
    platform=CARGO_TARGET_${CARGO_BUILD_TARGET//-/_}
    platform=${platform^^}
    # By the platform's own variable: when RUSTFLAGS changes between this and other runs of cargo, dependencies that look at it are built
    # anew each time, and all that needs them.
    export "${platform}_RUSTFLAGS=-C target-feature=+crt-static"
fi
