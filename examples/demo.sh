#!/bin/sh
# All steps, in a folder of its own: sandbox up, validate, plan, apply, plan again, sandbox
# down. Fails unless the second plan says that nothing is left to do.
set -eu

examples=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
sandbox=

leave() {
  status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$sandbox" ]; then
    kill "$sandbox" 2>/dev/null || true
    wait "$sandbox" 2>/dev/null || true
  fi
  cd / && rm -rf "$work"
  exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() {
  printf '\n# %s\n' "$*"
}

fail() {
  echo "demo: $*" >&2
  exit 1
}

typed() {
  printf '$ %s\n' "$*"
  "$@"
}

cd "$work"
cp -R "$examples/configs" configs

say 'A stand-in for HubSpot on this machine; the token opens nothing else'
echo '$ reconciler sandbox --port 0 &'
reconciler sandbox --port 0 >sandbox.out 2>sandbox.err </dev/null &
sandbox=$!
address=
while [ -z "$address" ]; do
  # The address is the first line; half a line is none.
  address=$(sed -n '1p' sandbox.out | grep -o 'http://[^ ]*' || true)
  if [ -z "$address" ]; then
    kill -0 "$sandbox" 2>/dev/null || { cat sandbox.err >&2; fail 'the sandbox did not start'; }
    sleep 0.1
  fi
done
echo "$address"
echo "\$ export HUBSPOT_BASE_URL=$address HUBSPOT_ACCESS_TOKEN=sandbox-token"
export HUBSPOT_BASE_URL="$address" HUBSPOT_ACCESS_TOKEN=sandbox-token
unset HUBSPOT_API_VERSION

say 'On a laptop: are the pair files in configs/ right?'
typed ls configs
typed reconciler validate

say 'In the pull request: what would change?'
typed reconciler plan --out plan.json

say 'After the merge: apply what was reviewed'
typed reconciler apply plan.json

say 'And again: is anything left to do?'
typed reconciler plan | tee again.out
grep -q '^No changes\.' again.out || fail 'the portal does not match after apply'
