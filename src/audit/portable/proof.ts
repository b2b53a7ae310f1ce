import { areSame, fromBase64, hexOf } from './bytes.ts'
import { isSigned, readHead, type Pin } from './note.ts'
import { readRecord, type LogRecord } from './record.ts'
import { insist } from './refused.ts'
import { rootOfPath } from './tree.ts'

/** What a proof of one record proves. */
export interface RecordProof {
  readonly record: LogRecord
  /** Records of the log when its checkpoint was signed. */
  readonly size: number
  /** 64 lower-case hex digits. */
  readonly root: string
  /** Whether the key of the first epoch signed too; those of later ones do not follow from the pin. */
  readonly isEpochVerified: boolean
}

const maxCharacters = 163_840
const maxHashes = 53
const firstLine = 'c2sp.org/tlog-proof@v1'

/**
 * Verifies a file in the form of c2sp.org/tlog-proof, whose `extra` line holds the record.
 *
 * @throws Refused when it does not prove that the record is in the log
 */
export function verifyProof(text: string, pin: Pin): RecordProof {
  insist(text.length <= maxCharacters, 'the proof is too long')
  const [proof = '', ...note] = text.split('\n\n')
  const [first, extra = '', index = '', ...hashes] = proof.split('\n')
  insist(first === firstLine, `a proof begins with ${firstLine}`)
  insist(extra.startsWith('extra '), 'the proof holds no record')
  insist(/^index (?:0|[1-9]\d{0,15})$/.test(index), 'the proof has no index')
  insist(hashes.length <= maxHashes, 'the proof has too many hashes')
  const head = readHead(note.join('\n\n'))
  insist(head.origin === pin.origin, `the proof is of ${head.origin}`)
  const record = readRecord(fromBase64(extra.slice(6)))
  const { size } = head
  insist(`index ${record.seq}` === index && record.log === head.origin, 'it is another record')
  const siblings = hashes.map(fromBase64)
  insist(
    siblings.every(({ length }) => length === 32),
    'a hash has 32 bytes',
  )
  const root = rootOfPath({ index: record.seq, size, leaf: record.leaf, siblings })
  insist(root !== undefined && areSame(root, head.root), 'the record is not in the log')
  // Last, because it takes the longest.
  insist(isSigned(head, pin.stable), 'the log did not sign the checkpoint')
  const isEpochVerified = isOfFirstEpoch(head.signatures, pin)
  insist(!isEpochVerified || isSigned(head, pin.genesis), 'the first epoch did not sign')
  return { record, size, root: hexOf(head.root), isEpochVerified }
}

/** Some epoch must have signed; whether it did rightly can be told of the first one only. */
function isOfFirstEpoch(signatures: readonly { readonly name: string }[], pin: Pin): boolean {
  const start = `${pin.origin}/epoch-`
  const epochs = signatures.flatMap(({ name }) =>
    name.startsWith(start) && /^[1-9]\d{0,8}$/.test(name.slice(start.length)) ? [name] : [],
  )
  insist(epochs.length > 0, 'no epoch of the log signed the checkpoint')
  return epochs.includes(pin.genesis.name)
}
