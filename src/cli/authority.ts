import { realpathSync } from 'node:fs'
import { noAuthority, type Authority } from '../approval/authority.ts'
import { verifyingKey, type SigningKey } from '../crypto/ed25519.ts'
import { KeyFolder } from '../crypto/key-folder.ts'
import { systemRandom } from '../crypto/random.ts'
import type { ApprovalsConfig } from '../config/config.ts'
import { readApprovers } from './read-approvers.ts'

/** A log, and the folder of its keys; undefined for the one beside it. */
interface KeyPlace {
  readonly path: string
  readonly keys: string | undefined
}

/** The file of the key that answers of presence `any` are signed with, among the keys of the log. */
const answerFile = 'answer.key'

/**
 * Whose answers count, as the files say it now.
 *
 * @param place where the log is, and its keys
 * @throws CapFenceError when the list of approvers or the answer key cannot be read, or the list is not the pinned one
 */
export function readAuthority(
  approvals: Pick<ApprovalsConfig, 'approvers' | 'approversSha256'> | undefined,
  place: KeyPlace,
): Authority {
  const { approvers } = approvals === undefined ? noAuthority : readApprovers(approvals)
  const folder = keyFolder(place)
  const hasAnswerKey = folder.list().includes(answerFile)
  const answerKey = hasAnswerKey ? verifyingKey(folder.read(answerFile).key.publicKey) : undefined
  return { approvers, answerKey }
}

/** The key beside the database; made with the first answer that nobody's own key signs. */
export function ownAnswerKey(place: KeyPlace, origin: string): SigningKey {
  const folder = keyFolder(place)
  if (folder.list().includes(answerFile)) return folder.read(answerFile).key
  return folder.make(answerFile, `${origin}/answer`, systemRandom(32)).key
}

function keyFolder({ path, keys }: KeyPlace): KeyFolder {
  return new KeyFolder(keys ?? `${realpathSync(path)}.keys`)
}
