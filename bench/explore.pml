/*
 * ptdump against vmalloc in Promela, for bench/explore.mjs: the same schemes as src/schemes, written anew.
 * Chosen by -D: NR readers, NF freers (one table each), or M entries of one PMD table (pud-free).
 *   LOCK  0 none, 1 around clear, 2 around clear + free, 3 before the free if the key was on, 4 trylock around all,
 *         5 lock around all and 3 inside, 6 trylock around all and 3 inside
 *   KEY   0 none, 1 enable/disable, 2 inc/dec     SAMPLE 0 before the clear, 1 after it
 *   JL    jump labels with text views; IPI, ISB as in the kernel or not
 *   RCU   0 none, 1 section over sample + clear, 2 over sample only, 3 walker in a section, freer waits
 *   PCPU  1 percpu_rwsem around clear, 2 around clear + free      OTHER walker holds another lock
 *   ISO   pud-free: PMD table unhooked first      FAIR the rwsem's queue
 */
#ifndef NR
#define NR 1
#endif
#ifndef FAIR
#define FAIR 1
#endif
#ifndef NF
#define NF 1
#endif
#ifdef M
#define NT M
#else
#define NT NF
#endif
#define NP (NF + NR)

byte hooked[NT + 1] = 1;        /* one more, so that clear(NT) compiles */
byte live[NT] = 1;
bool pud = 1;
bool pmdlive = 1;
byte wr, rd, queued, wr2;
short en;
byte text;
byte view[NF] = 1;
bool mutex;
byte incs;                    /* mask of open RCU sections */
byte snaps[NP];                /* sections each grace period waits for */
byte pstate, pcount, preaders, pblock, pcall;

inline rlock() { atomic { (wr == 0 && (!FAIR || rd == 0 || queued == 0)) -> rd++ } }
inline runlock() { rd-- }
inline wlock() {
  atomic {
    if
    :: wr == 0 && rd == 0 -> wr = 1
    :: else -> queued++; waits = 1
    fi
  }
  if
  :: waits -> atomic { (wr == 0 && rd == 0) -> wr = 1; queued--; waits = 0 }
  :: !waits
  fi
}
inline rculock(me) { incs = incs | (1 << me) }
inline rcuunlock(me) {
  d_step {
    incs = incs & ~(1 << me);
    i = 0;
    do
    :: i < NP -> snaps[i] = snaps[i] & ~(1 << me); i++
    :: else -> break
    od;
    i = 0
  }
}
inline gp(me) { snaps[me] = incs & ~(1 << me); (snaps[me] == 0) }

#if JL
inline patch(v) {
  d_step {
    text = v; i = 0;
    do
    :: i < NF -> view[i] = view[i] | (1 << v); i++
    :: else -> break
    od;
    i = 0
  };
#if IPI
  do
  :: i < NF -> d_step { view[i] = 1 << text; i++ }
  :: else -> i = 0; break
  od;
#endif
  skip
}
inline on() {
  seen = en;
#if KEY == 2
  do
  :: seen > 0 -> seen = en; atomic { if :: en == seen && seen > 0 -> en++; break :: else fi }
  :: else -> break
  od;
#endif
  if
  :: seen > 0
  :: else ->
    atomic { !mutex -> mutex = 1 };
    if
    :: en == 0 -> en = -1; patch(1); en = 1
    :: else -> if :: KEY == 2 -> en++ :: else fi
    fi;
    mutex = 0
  fi
}
inline off() {
  seen = en;
#if KEY == 2
  do
  :: seen > 1 -> seen = en; atomic { if :: en == seen && seen > 1 -> en--; break :: else fi }
  :: else -> break
  od;
  if
  :: seen > 1
  :: else ->
    atomic { !mutex -> mutex = 1 };
    atomic { en--; now = (en == 0) };
    if :: now -> patch(0) :: !now fi;
    mutex = 0
  fi
#else
  if
  :: seen != 1
  :: else ->
    atomic { !mutex -> mutex = 1 };
    atomic { now = (en == 1); if :: now -> en = 0 :: !now fi };
    if :: now -> patch(0) :: !now fi;
    mutex = 0
  fi
#endif
}
inline sample() {
  if
  :: view[cpu] & 1 -> key = 0
  :: view[cpu] & 2 -> key = 1
  fi
}
#else
inline on() { atomic { if :: KEY == 2 -> en++ :: else -> en = 1 fi } }
inline off() { atomic { if :: KEY == 2 -> en-- :: else -> en = 0 fi } }
inline sample() { key = (en > 0) }
#endif

inline pdownread(me) {
  rculock(me);
  fast = (pstate == 0);
  preaders++;
  if
  :: fast
  :: else ->
    do
    :: pblock == 0 -> break
    :: else -> preaders--; rcuunlock(me); (pblock == 0); rculock(me); preaders++
    od
  fi;
  rcuunlock(me)
}
inline pdownwrite(me) {
  atomic { first = (pstate == 0); if :: first -> pstate = 1 :: else fi; pcount++ }
  if
  :: first -> gp(me); pstate = 2
  :: else -> (pstate > 1)
  fi;
  atomic { pblock == 0 -> pblock = 1 }
  (preaders == 0)
}
inline pupwrite() {
  pblock = 0;
  atomic {
    pcount--;
    if
    :: pcount == 0 && pstate == 2 -> pstate = 3; pcall = 1
    :: pcount == 0 && pstate == 3 -> pstate = 4
    :: else
    fi
  }
}

inline waitwalk() {
  if
  :: key -> rlock(); runlock()
  :: !key
  fi
}

inline clear(t) {
#ifdef M
  if :: t == NT -> pud = 0 :: else -> hooked[t] = 0 fi
#else
  hooked[t] = 0
#endif
}

inline overwrite(t) {
#if RCU == 1 || RCU == 2
  rculock(cpu);
#endif
#if PCPU
  pdownread(cpu);
#endif
#if LOCK == 1 || LOCK == 2
  rlock();
#endif
#if KEY && !SAMPLE
  sample();
#endif
#if RCU == 2
  rcuunlock(cpu);
#endif
#if KEY && !SAMPLE && !RCU
  if :: key -> rlock() :: !key fi;
#endif
  clear(t);
#if RCU == 1
  rcuunlock(cpu);
#endif
#if LOCK == 1
  runlock();
#endif
#if KEY && !SAMPLE && !RCU
  if :: key -> runlock() :: !key fi;
#endif
#if PCPU == 1
  preaders--;
#endif
#if JL && ISB
  view[cpu] = 1 << text;
#endif
#if KEY && SAMPLE
  sample();
#endif
#if LOCK == 3 || LOCK == 5 || LOCK == 6 || RCU == 1 || RCU == 2
  waitwalk();
#endif
#if RCU == 3
  gp(cpu);
#endif
}

active [NF] proctype freer() {
  byte cpu = _pid;
  bool key = 0;
  bool fast = 0;
  bool got = 1;
  byte i = 0;
  byte k = 0;
#if LOCK == 4 || LOCK == 6
  atomic { got = (wr == 0 && queued == 0); if :: got -> rd++ :: !got fi };
#endif
#if LOCK == 5
  rlock();
#endif
  if
  :: got ->
#ifdef M
#if ISO
    overwrite(NT);
#endif
    do
    :: k < NT -> clear(k); live[k] = 0; k++
    :: else -> break
    od;
#if !ISO
    overwrite(NT);
#endif
    pmdlive = 0;
#else
    overwrite(cpu);
    live[cpu] = 0;
#endif
    hooked[0] = hooked[0] /* pmd_set_huge: nothing a walk would follow */
  :: !got
  fi;
#if LOCK == 2
  runlock();
#endif
#if PCPU == 2
  preaders--;
#endif
#if LOCK >= 4
  if :: got -> runlock() :: !got fi
#endif
}

active [NR] proctype reader() {
  byte me = _pid;
  short seen = 0;
  bool now = 0;
  bool waits = 0;
  bool first = 0;
  bool there = 0;
  byte i = 0;
  byte k = 0;
#if KEY
  on();
#endif
#if RCU == 1 || RCU == 2
  gp(me);
#endif
#if PCPU
  pdownwrite(me);
#elif OTHER
  atomic { wr2 == 0 -> wr2 = 1 };
#else
  wlock();
#endif
#if RCU == 3
  rculock(me);
#endif
#ifdef M
  there = pud;
  if
  :: there ->
#endif
    do
    :: k < NT ->
#ifdef M
      assert(pmdlive);
#endif
      there = hooked[k];
      if
      :: there -> assert(live[k])
      :: !there
      fi;
      k++
    :: else -> break
    od
#ifdef M
  :: !there
  fi
#endif
  ;
#if RCU == 3
  rcuunlock(me);
#endif
#if PCPU
  pupwrite();
#elif OTHER
  wr2 = 0;
#else
  wr = 0;
#endif
#if KEY
  off()
#endif
}

#if PCPU
active proctype softirq() {
  byte me = 0; byte i = 0;
end:
  do
  :: (pcall) ->
    snaps[me] = 0; /* its own sections are the freer's: none can be open twice */
    (incs == 0);
    pcall = 0;
    atomic {
      if
      :: pcount > 0 -> pstate = 2
      :: pcount == 0 && pstate == 4 -> pstate = 3; pcall = 1
      :: else -> pstate = 0
      fi
    }
  od
}
#endif
