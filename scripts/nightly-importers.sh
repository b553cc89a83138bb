#!/usr/bin/env bash
# The long run of the importers' fuzzing: 10,000 mutations of every format, one format after the other, others
# each day; PTLAB_FUZZ_SEED, which is printed, makes them again.
#   scripts/nightly-importers.sh [NAME...]   only tests whose name has NAME in it: 'ftrace', 'packed as xz'
set -euo pipefail
cd "$(dirname "$0")/.."
export PTLAB_FUZZ="${PTLAB_FUZZ:-10000}" PTLAB_FUZZ_SEED="${PTLAB_FUZZ_SEED:-$(date +%Y%m%d)}"
[ $# -gt 0 ] || set -- trace-dat arrow parquet ftrace perf-script dmesg bpftrace csv "own file" \
  "packed as" vmallocinfo kernel_page_tables
for name; do
  echo "== $PTLAB_FUZZ mutations, seed $PTLAB_FUZZ_SEED: $name"
  npx vitest run test/importers/fuzz.test.ts -t "mutations of .*$name|memory without bound"
done
