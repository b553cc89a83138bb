// What a scheme is written with: everything a point may do.
export * from './jump-label.js';
export * from './lock.js';
export * from './memory.js';
export * from './percpu-rwsem.js';
export * from './rcu.js';
export * from './sched.js';
