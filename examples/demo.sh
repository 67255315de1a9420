#!/bin/sh
# The whole way on a portal of one's own: sandbox up, validate, plan, review, apply, plan again,
# sandbox down. Fails unless the second plan says that nothing is left to do.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
sandbox=

leave() {
  status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$sandbox" ]; then
    kill "$sandbox" 2>/dev/null || true
    wait "$sandbox" 2>/dev/null || true
  fi
  rm -rf "$work"
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

say 'A stand-in for HubSpot on this machine; the token opens nothing else'
echo '$ reconciler sandbox --port 0 &'
reconciler sandbox --port 0 >"$work/sandbox.out" 2>"$work/sandbox.err" </dev/null &
sandbox=$!
address=
while [ -z "$address" ]; do
  # The address is the first line; half a line is none.
  address=$(sed -n '1p' "$work/sandbox.out" | grep -o 'http://[^ ]*' || true)
  if [ -z "$address" ]; then
    kill -0 "$sandbox" 2>/dev/null || { cat "$work/sandbox.err" >&2; fail 'the sandbox did not start'; }
    sleep 0.1
  fi
done
echo "$address"
echo "\$ export HUBSPOT_BASE_URL=$address HUBSPOT_ACCESS_TOKEN=sandbox-token"
export HUBSPOT_BASE_URL="$address" HUBSPOT_ACCESS_TOKEN=sandbox-token
unset HUBSPOT_API_VERSION

say 'On a laptop: are the files right?'
typed reconciler validate examples/configs

say 'In the pull request: what would change?'
typed reconciler plan examples/configs --out "$work/plan.json"

say 'The same plan as reviewers see it'
typed reconciler show "$work/plan.json" --format markdown

say 'After the merge: apply what was reviewed'
typed reconciler apply "$work/plan.json"

say 'And again: is anything left to do?'
typed reconciler plan examples/configs | tee "$work/again"
grep -q '^No changes\.' "$work/again" || fail 'the portal does not match after apply'
