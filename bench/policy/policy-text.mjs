import { asked } from './workload.mjs'

/** The policy as a file of ours. */
export function policyText(rules) {
  const asks = {
    text: `, contains: ${JSON.stringify(asked.texts)}`,
    amount: `, amount_gt: ${asked.amount}`,
    path: `, path_prefix: ${asked.folder}`,
    environment: `, environment: ${asked.environment}`,
  }
  return ['deny', 'require_approval', 'allow']
    .map((effect) => {
      const own = rules.filter((rule) => rule.effect === effect)
      const lines = own.map(({ id, resource, action, scope, asks: kind }) => {
        const name = `${resource}.${action}.${scope}`
        const capability = action === '*' ? `"${name}"` : name
        return `  - {id: ${id}, capability: ${capability}${asks[kind] ?? ''}}\n`
      })
      return `${effect}:${lines.length === 0 ? ' []' : ''}\n${lines.join('')}`
    })
    .join('')
}
