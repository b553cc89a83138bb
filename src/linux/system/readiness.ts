/** Whether a step can be done now. */
export type Readiness = 0 | 1 | 2;
/** It must wait until another task has done something. */
export const BLOCKED = 0;
export const READY = 1;
/** It must wait, but it can announce so (join a queue), which others see. */
export const QUEUES = 2;
