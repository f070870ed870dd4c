#!/bin/sh
# Trains as a batch job under PBS Pro, OpenPBS or Torque; launch/pbs.sh --help says more.
#PBS -N ddp-train
#PBS -j oe
#PBS -r y
#PBS -S /bin/sh
set -eu

usage() {
  cat <<'TEXT'
usage: CONFIG=FILE [ARGS="key=value ..."] qsub -v CONFIG,ARGS [OPTION OF QSUB ...] launch/pbs.sh

Runs ddp-train on the lines of the job's node file, one rank each, but no more than the config's
training.shards. Where to run and for how long is said to qsub:
  PBS Pro, OpenPBS   -l select=2:ncpus=8:mpiprocs=8 -l place=scatter -l walltime=8:00:00
  Torque             -l nodes=2:ppn=8 -l walltime=8:00:00

environment, handed over with -v:
  CONFIG            the config
  ARGS              everything else that ddp-train takes, separated by spaces
  RESTARTS          how often the job may come back (default: 50)
  DDP_TRAIN         the program to run (default: ddp-train in .build/release beside this folder, then
                    beside an installed launch/, then on the search path); the same path on all nodes
  DDP_TRAIN_LAUNCH  the folder of the launch scripts (default: launch/ in the folder of submission,
                    then that folder, then beside DDP_TRAIN)

what happens to the job:
  120 seconds before the walltime, or qsig -s SIGUSR1 JOB
                    all ranks save their state and stop; the job is rerun, or submitted again with
                    the same resources where users may not rerun jobs
  preempted, node lost
                    PBS reruns the job (-r y)
  qdel JOB          the end, and so is every exit code of ddp-train but 75 (stopped, state saved)
A job that comes back resumes where its state was saved, also on another number of ranks.
TEXT
}

# PROBLEM REMEDY
complain() {
  echo "launch/pbs.sh: $1" >&2
  echo "  to fix:   $2" >&2
}

bad_input() {
  complain "$@"
  exit 2
}

# PBS runs a copy of this script in a spool folder, and starts it in the home folder.
find_launch() {
  program=$(command -v "${DDP_TRAIN:-ddp-train}" || true)
  program=$(dirname "$(readlink -f "${program:-.}")")
  for folder in "${DDP_TRAIN_LAUNCH-}" "$PBS_O_WORKDIR/launch" "$PBS_O_WORKDIR" \
    "$program/../../../launch" "$program/../share/ddp-train/launch"; do
    if [ -x "$folder/ranks" ] && [ -x "$folder/shards" ]; then
      echo "$folder"
      return
    fi
  done
}

case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
esac
if [ -z "${PBS_JOBID-}" ] || [ -z "${PBS_NODEFILE-}" ]; then
  bad_input "this is a script for the queue of PBS" "CONFIG=FILE qsub -v CONFIG launch/pbs.sh"
fi
cd "$PBS_O_WORKDIR"
[ -n "${CONFIG-}" ] || bad_input "no config is named" "CONFIG=FILE qsub -v CONFIG launch/pbs.sh"
[ -r "$PBS_NODEFILE" ] || bad_input "the node file $PBS_NODEFILE cannot be read" "ask PBS's operators"
ARGS=${ARGS-}
case ${RESTARTS:=50} in
  *[!0-9]*) bad_input "RESTARTS wants a number, got '$RESTARTS'" "RESTARTS=50" ;;
esac
launch=$(find_launch)
if [ -z "$launch" ]; then
  bad_input "the folder of the launch scripts is not found" \
    "set DDP_TRAIN_LAUNCH, or submit from the folder that holds launch/"
fi
program=$("$launch/program")

# What PBS says about this job, one attribute a line; empty where jobs may not ask.
description=$(qstat -f "$PBS_JOBID" 2>/dev/null |
  awk '/^\t/ { sub(/^\t/, ""); line = line $0; next } { print line; line = $0 } END { print line }') ||
  description=

# NAME: an attribute of the job.
attribute() {
  echo "$description" | awk -v name="$1" '
    { at = index($0, " = "); key = substr($0, 1, at - 1); gsub(/ /, "", key) }
    at && key == name { print substr($0, at + 3) }'
}

# [HOURS:]MINUTES:SECONDS, or seconds
in_seconds() {
  echo "$1" | awk -F : '{ for (i = 1; i <= NF; i++) total = 60 * total + $i; print total + 0 }'
}

# Starts before this one: those of this job, and those of jobs that it follows.
run_count=$(attribute run_count)
case $run_count in '' | 0 | *[!0-9]*) run_count=1 ;; esac
restart=$((${DDP_RESTART:-0} + run_count - 1))

# shellcheck disable=SC2086 # words
set -- "$CONFIG" $ARGS
# Of a run that comes back, only the first start is to begin anew.
if [ "$restart" -gt 0 ]; then
  for word in "$@"; do
    shift
    if [ "$word" != --fresh ]; then set -- "$@" "$word"; fi
  done
fi
tasks=$(grep -c . "$PBS_NODEFILE")
hosts=$(sort -u "$PBS_NODEFILE" | grep -c .)
ranks=$tasks
shards=$("$launch/shards" "$@")
if [ "$tasks" -gt "$shards" ]; then
  ranks=$shards
  complain "$tasks lines in the node file, but training.shards allows $shards ranks; the others idle" \
    "ask qsub for $shards, or training.shards=$tasks"
elif [ "$tasks" -eq 1 ]; then
  complain "the node file has one line, so there is one rank" "qsub -l select=1:ncpus=8:mpiprocs=8"
fi
echo "launch/pbs.sh: job $PBS_JOBID, start $((restart + 1)), $ranks ranks on $hosts hosts" >&2

# PBS ends jobs by a SIGTERM to all their processes; SIGUSR1 is the one that mpirun passes on.
job=
asked=
signalled=
# shellcheck disable=SC2317 # called by traps
pass_on() {
  signalled=yes
  if [ "$1" = USR1 ]; then
    asked=yes
    if [ -n "$job" ]; then kill -USR1 "$job" 2>/dev/null || true; fi
  fi
}

# Sends this script SIGUSR1 before PBS ends the job.
start_timer() {
  limit=${PBS_WALLTIME:-$(in_seconds "$(attribute Resource_List.walltime)")}
  if [ "$limit" -gt 0 ]; then
    early=120
    if [ "$limit" -lt 240 ]; then early=$((limit / 2)); fi
    (
      trap 'kill "$!"; exit' TERM
      sleep $((limit - early)) &
      wait "$!"
      kill -USR1 $$
    ) >/dev/null 2>&1 &
    timer=$!
  fi
}

# PROGRAM ARGUMENT ...: runs ddp-train; its exit code is left in $code.
run() {
  trap 'pass_on USR1' USR1
  trap 'pass_on TERM' TERM INT
  "$launch/ranks" --hostfile "$PBS_NODEFILE" "$ranks" "$@" </dev/null &
  job=$!
  if [ -n "$asked" ]; then kill -USR1 "$job"; fi
  code=0
  while :; do
    signalled=
    status=0
    # A signal interrupts the wait; 127: all was said before.
    wait "$job" || status=$?
    if [ "$status" -ne 127 ]; then code=$status; fi
    if [ -z "$signalled" ]; then break; fi
  done
  trap '' USR1 TERM INT
}

# Another job like this one, which waits for its end.
submit_again() {
  DDP_RESTART=$((restart + 1))
  export DDP_RESTART CONFIG ARGS RESTARTS
  variables=CONFIG,ARGS,RESTARTS,DDP_RESTART
  for variable in DDP_TRAIN DDP_TRAIN_LAUNCH; do
    if eval "[ -n \"\${$variable-}\" ]"; then variables=$variables,$variable; fi
  done
  set -- -W "depend=afterany:$PBS_JOBID" -v "$variables"
  for resource in select nodes place walltime mem; do
    value=$(attribute "Resource_List.$resource")
    case $resource-$value in
      *-) ;;
      # What PBS computed from select.
      mem-*) [ -n "$(attribute Resource_List.select)" ] || set -- "$@" -l "mem=$value" ;;
      nodes-*) [ -n "$(attribute Resource_List.select)" ] || set -- "$@" -l "nodes=$value" ;;
      *) set -- "$@" -l "$resource=$value" ;;
    esac
  done
  if [ -n "$(attribute queue)" ]; then set -- "$@" -q "$(attribute queue)"; fi
  if [ -n "$(attribute Account_Name)" ]; then set -- "$@" -A "$(attribute Account_Name)"; fi
  qsub "$@" "$launch/pbs.sh"
}

export DDP_TRAIN_TERMINAL=0
DDP_RANKS_PER_HOST=$(sort "$PBS_NODEFILE" | uniq -c | awk '$1 > most { most = $1 } END { print most }')
if [ "$DDP_RANKS_PER_HOST" -gt "$ranks" ]; then DDP_RANKS_PER_HOST=$ranks; fi
export DDP_RANKS_PER_HOST
timer=
start_timer
run "$program" "$@"
if [ -n "$timer" ]; then kill "$timer" 2>/dev/null || true; fi

case $code in 0 | 2 | 3) exit "$code" ;; esac
if [ -z "$asked" ]; then
  if [ "$code" -gt 128 ]; then
    echo "launch/pbs.sh: signal $(kill -l $((code - 128))) ended a rank or mpirun" >&2
  fi
  complain "the run ended early (exit code $code)" "submit the same command again; it resumes"
  exit "$code"
fi
if [ "$restart" -ge "$RESTARTS" ]; then
  complain "stopped as asked (exit code $code); came back $restart times already, RESTARTS is $RESTARTS" \
    "submit the same command again, or with a greater RESTARTS; it resumes"
  exit "$code"
fi
if qrerun "$PBS_JOBID" 2>/dev/null; then
  echo "launch/pbs.sh: stopped as asked (exit code $code); rerun ($((restart + 1)) of at most $RESTARTS)" >&2
elif next=$(submit_again); then
  echo "launch/pbs.sh: stopped as asked (exit code $code); goes on as job $next ($((restart + 1)) of at most $RESTARTS)" >&2
else
  complain "stopped as asked (exit code $code); PBS takes no job from here" \
    "submit the same command again; it resumes"
fi
exit "$code"
