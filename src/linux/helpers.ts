// What a scheme is written with: everything a point may do.
export { pte_free_kernel } from './arm64/mmu.js';
export { deferredFree, freeLater } from './deferred.js';
export * from './jump-label.js';
export * from './lock.js';
export * from './memory.js';
export * from './percpu-rwsem.js';
export * from './rcu.js';
export * from './sched.js';
