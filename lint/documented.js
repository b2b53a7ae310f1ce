import { placeOfFile } from './places.js'

/** @import { Context, Rule, Statement } from './types.d.ts' */

/**
 * Asks for a doc comment with words in it on everything that a source file exports.
 *
 * @type {Rule}
 */
export const documentedExport = {
  meta: { type: 'suggestion' },
  create(context) {
    if (placeOfFile(context.filename) === undefined) return {}
    return { Program: (program) => checkAll(context, program.body) }
  },
}

/**
 * @param {Context} context
 * @param {readonly Statement[]} body
 */
function checkAll(context, body) {
  const documented = new Set(
    body.filter((statement) => hasDoc(context, statement)).flatMap(declaredNames),
  )
  for (const statement of body) {
    for (const name of exportedNames(statement)) {
      if (documented.has(name)) continue
      context.report({ node: statement, message: `\`${name}\` is exported without a doc comment` })
    }
  }
}

/**
 * What a statement exports of this file's own; what it passes on from another file is documented there.
 *
 * @param {Statement} statement
 * @returns {readonly string[]}
 */
function exportedNames(statement) {
  if (statement.type === 'ExportDefaultDeclaration') return ['default']
  if (statement.type !== 'ExportNamedDeclaration' || statement.source !== null) return []
  if (statement.declaration !== null) return declaredNames(statement)
  return statement.specifiers.map(({ local }) =>
    local.type === 'Literal' ? local.value : local.name,
  )
}

/**
 * @param {Statement} statement
 * @returns {readonly string[]}
 */
function declaredNames(statement) {
  const declaration =
    statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  if (declaration === null) return []
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []))
  }
  if (!('id' in declaration) || declaration.id?.type !== 'Identifier') return []
  return [declaration.id.name]
}

/**
 * Whether a doc comment stands right above, and says something besides its tags.
 *
 * @param {Context} context
 * @param {Statement} statement
 */
function hasDoc(context, statement) {
  const comment = context.sourceCode.getCommentsBefore(statement).at(-1)
  if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return false
  const words = comment.value.replaceAll(/^\s*\*+/gm, '').trim()
  return /^[^@\s]\S*\s+\S/.test(words)
}
