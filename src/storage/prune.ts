/** Rows of one kind that a commit removes because their time is over, beside as many as it adds: none can pile up. */
export const prunedAtOnce = 64
