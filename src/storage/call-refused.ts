import { CapFenceError } from '../errors.ts'

/** A record that does not follow from the log; found when it has been written already. */
export class CallRefused extends CapFenceError {
  constructor(why: 'decided' | 'open') {
    super(
      'RECORD_INVALID',
      why === 'decided'
        ? 'a decision on a call that was decided before'
        : 'an outcome without a forwarded decision that waits for it',
    )
  }
}
