import { documentedExport } from './documented.js'
import { roomImports } from './imports.js'
import { pureRoom } from './purity.js'

/** @import { Rule } from './types.d.ts' */

/**
 * The project's own lint rules, named `capfence/...` in .oxlintrc.json.
 *
 * @type {{ readonly meta: { readonly name: string }, readonly rules: Readonly<Record<string, Rule>> }}
 */
export default {
  meta: { name: 'capfence' },
  rules: {
    'room-imports': roomImports,
    'pure-room': pureRoom,
    'documented-export': documentedExport,
  },
}
