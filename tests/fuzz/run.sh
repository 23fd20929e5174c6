#!/bin/bash
# Runs each fuzzer (or those named) for SECONDS on a copy of its corpus: run.sh SECONDS [TARGET...]. What crashes is left in
# build/fuzz/found/<target>/; put it into tests/fuzz/corpus/<target>/ together with the fix. FUZZ_JOBS side by side (2).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for f in tests/fuzz/*.c; do
	f=${f##*/} f=${f%.c}
	[ "$f" = run_corpus ] || targets+=("$f")
done
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0

one() {
	local target=$1 work=build/fuzz/work/$1 found=build/fuzz/found/$1 log=build/fuzz/$1.log options=()
	mkdir -p "$work" "$found"
	[ ! -e "tests/fuzz/$target.dict" ] || options+=("-dict=tests/fuzz/$target.dict")
	if "build/fuzz/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
		"${options[@]}" -artifact_prefix="$found/" "$work" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
		printf 'ok     %-12s %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: */inputs /p' "$log") $(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
	else
		printf 'FAILED %-12s see %s\n' "$target" "$log"
		return 1
	fi
}

status=0 running=0
for target in "${targets[@]}"; do
	if [ $running -ge "${FUZZ_JOBS:-2}" ]; then
		wait -n || status=1
		running=$((running - 1))
	fi
	one "$target" "$seconds" &
	running=$((running + 1))
done
while [ $running -gt 0 ]; do
	wait -n || status=1
	running=$((running - 1))
done
exit $status
