import { configChangeRecord } from '../audit/drafts.ts'
import type { ConfigChangeFacts } from '../audit/drafts.ts'
import type { Durability, Store } from './store.ts'

/**
 * Records a configuration, unless the last record of its path is of the same bytes: several gates share a log.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when the log cannot take it
 */
export function recordConfiguration(
  store: Pick<Store, 'commit'>,
  facts: ConfigChangeFacts,
  durability: Durability,
): Promise<void> {
  return store.commit(({ recorded }) => {
    const before = recorded.configuration(facts.path)
    const isKnown = before !== undefined && before.sha256 === facts.sha256
    return { records: isKnown ? [] : [configChangeRecord(facts)], result: undefined }
  }, durability)
}
