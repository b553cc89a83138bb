#!/usr/bin/env bash
# The long run of the importers' fuzzing: 10,000 mutations of every format.
set -euo pipefail
cd "$(dirname "$0")/.."
PTLAB_FUZZ="${PTLAB_FUZZ:-10000}" npx vitest run test/importers/fuzz.test.ts
