const inOrder = (first: number, ...names: string[]): [string, number][] =>
  names.map((name, i) => [name, first + i]);

/**
 * Values of enums that kernels leave by name in their print fmt (they lack a TRACE_DEFINE_ENUM) and that
 * never changed. From the kernel's user-space headers and from linux/{interrupt,hrtimer,mmzone,
 * migrate_mode,pm_qos}.h.
 */
export const enumValues: Readonly<Record<string, number | undefined>> = Object.assign(
  Object.create(null),
  Object.fromEntries([
    ...inOrder(0, 'HI_SOFTIRQ', 'TIMER_SOFTIRQ', 'NET_TX_SOFTIRQ', 'NET_RX_SOFTIRQ', 'BLOCK_SOFTIRQ',
      'IRQ_POLL_SOFTIRQ', 'TASKLET_SOFTIRQ', 'SCHED_SOFTIRQ', 'HRTIMER_SOFTIRQ', 'RCU_SOFTIRQ'),
    ['BLOCK_IOPOLL_SOFTIRQ', 5],
    ...inOrder(0, 'false', 'true'),
    ...inOrder(0, 'HRTIMER_NORESTART', 'HRTIMER_RESTART'),
    ...inOrder(0, 'HRTIMER_MODE_ABS', 'HRTIMER_MODE_REL', 'HRTIMER_MODE_ABS_PINNED', 'HRTIMER_MODE_REL_PINNED',
      'HRTIMER_MODE_ABS_SOFT', 'HRTIMER_MODE_REL_SOFT', 'HRTIMER_MODE_ABS_PINNED_SOFT',
      'HRTIMER_MODE_REL_PINNED_SOFT', 'HRTIMER_MODE_ABS_HARD', 'HRTIMER_MODE_REL_HARD',
      'HRTIMER_MODE_ABS_PINNED_HARD', 'HRTIMER_MODE_REL_PINNED_HARD'),
    ...inOrder(0, 'VMSCAN_THROTTLE_WRITEBACK', 'VMSCAN_THROTTLE_ISOLATED', 'VMSCAN_THROTTLE_NOPROGRESS',
      'VMSCAN_THROTTLE_CONGESTED'),
    ...inOrder(0, 'MIGRATE_ASYNC', 'MIGRATE_SYNC_LIGHT', 'MIGRATE_SYNC'),
    ...inOrder(0, 'SS_FREE', 'SS_UNCONNECTED', 'SS_CONNECTING', 'SS_CONNECTED', 'SS_DISCONNECTING'),
    // DEV_PM_QOS_FLAGS, the last of them, moved from 3 to 5.
    ...inOrder(1, 'DEV_PM_QOS_RESUME_LATENCY', 'DEV_PM_QOS_LATENCY_TOLERANCE'),
    ...inOrder(1, 'TCP_ESTABLISHED', 'TCP_SYN_SENT', 'TCP_SYN_RECV', 'TCP_FIN_WAIT1', 'TCP_FIN_WAIT2',
      'TCP_TIME_WAIT', 'TCP_CLOSE', 'TCP_CLOSE_WAIT', 'TCP_LAST_ACK', 'TCP_LISTEN', 'TCP_CLOSING',
      'TCP_NEW_SYN_RECV'),
    ...inOrder(0, 'IOPRIO_CLASS_NONE', 'IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'),
    ['IOPRIO_CLASS_INVALID', 7],
    ...inOrder(0, 'PM_QOS_ADD_REQ', 'PM_QOS_UPDATE_REQ', 'PM_QOS_REMOVE_REQ'),
  ]),
); // biome-ignore format: a list of names
