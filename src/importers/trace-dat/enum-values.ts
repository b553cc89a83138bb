const inOrder = (first: number, ...names: string[]): [string, number][] =>
  names.map((name, i) => [name, first + i]);

/**
 * Values of enums that kernels leave by name in their print fmt (they lack a TRACE_DEFINE_ENUM) and that
 * never changed. From the kernel's user-space headers and from linux/interrupt.h, linux/hrtimer.h.
 */
export const enumValues: Readonly<Record<string, number | undefined>> = Object.assign(
  Object.create(null),
  Object.fromEntries([
    ...inOrder(0, 'HI_SOFTIRQ', 'TIMER_SOFTIRQ', 'NET_TX_SOFTIRQ', 'NET_RX_SOFTIRQ', 'BLOCK_SOFTIRQ',
      'IRQ_POLL_SOFTIRQ', 'TASKLET_SOFTIRQ', 'SCHED_SOFTIRQ', 'HRTIMER_SOFTIRQ', 'RCU_SOFTIRQ'),
    ['BLOCK_IOPOLL_SOFTIRQ', 5],
    ...inOrder(0, 'HRTIMER_NORESTART', 'HRTIMER_RESTART'),
    ...inOrder(1, 'TCP_ESTABLISHED', 'TCP_SYN_SENT', 'TCP_SYN_RECV', 'TCP_FIN_WAIT1', 'TCP_FIN_WAIT2',
      'TCP_TIME_WAIT', 'TCP_CLOSE', 'TCP_CLOSE_WAIT', 'TCP_LAST_ACK', 'TCP_LISTEN', 'TCP_CLOSING',
      'TCP_NEW_SYN_RECV'),
    ...inOrder(0, 'IOPRIO_CLASS_NONE', 'IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'),
    ...inOrder(0, 'PM_QOS_ADD_REQ', 'PM_QOS_UPDATE_REQ', 'PM_QOS_REMOVE_REQ'),
  ]),
); // biome-ignore format: a list of names
