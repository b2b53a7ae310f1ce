import { packagesOf, type Language } from './framework.ts'
import { jsFrameworks } from './js-frameworks.ts'
import { pyFrameworks } from './py-frameworks.ts'

const jsPackages = packagesOf(jsFrameworks).map((name) => name.replaceAll('/', String.raw`\/`))
const jsMention = new RegExp(`['"\`/:](?:${jsPackages.join('|')})(?:['"\`/@])`)
const pyPackages = packagesOf(pyFrameworks).map((name) => name.replaceAll('.', String.raw`\.`))
const pyMention = new RegExp(
  String.raw`(?:^|[;:])[ \t]*(?:from[ \t]+|import[ \t](?:[^\n#]*,)?[ \t]*)(?:${pyPackages.join('|')})(?![\w])`,
  'm',
)

/** Whether a file may import a framework: what does not name one cannot, and need not be parsed. */
export function mentionsFramework(name: string, text: string): boolean {
  return (name.endsWith('.py') ? pyMention : jsMention).test(text)
}

const jsTelling = tellingIn(jsFrameworks)
const pyTelling = tellingIn(pyFrameworks)

function tellingIn({ tools }: Language): RegExp {
  const methods = tools
    .filter(({ isTelling }) => isTelling === true)
    .flatMap(({ paths }) => paths.map((path) => path.split('.').at(-1) ?? path))
  return new RegExp(String.raw`\.(?:${methods.join('|')})\s*[(<]`)
}

/** Whether a file calls a method that tells by its name what it is. */
export function tellsByName(name: string, text: string): boolean {
  return (name.endsWith('.py') ? pyTelling : jsTelling).test(text)
}

/** The longest line of imports that is looked at for modules, characters. */
const maxImport = 4096

/** Modules of the project itself that a file may name, found without a parser. */
export function modulesNamed(name: string, text: string): readonly string[] {
  return name.endsWith('.py') ? pyModules(text) : jsModules(text)
}

function jsModules(text: string): readonly string[] {
  const found = new Set<string>()
  const form =
    /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(?<quote>['"])(?<module>(?:\.{1,2}|[@~#])\/[^'"\n]{1,512}|\.{1,2})\k<quote>/g
  for (const { groups } of text.matchAll(form)) {
    const module = groups?.['module']
    if (module !== undefined) found.add(module)
  }
  return [...found]
}

/** `from a.b import c` names `a.b`, and `a.b.c` when that is a module. */
function pyModules(text: string): readonly string[] {
  const found = new Set<string>()
  const form =
    /^[ \t]*from[ \t]+(?<module>\.*[\w.]*)[ \t]+import[ \t]*(?:\((?<list>[^)]*)\)|(?<line>[^\n;]*))/gm
  for (const { groups } of text.matchAll(form)) {
    const module = groups?.['module'] ?? ''
    const names = (groups?.['list'] ?? groups?.['line'] ?? '').slice(0, maxImport)
    found.add(module)
    for (const [one] of names.replaceAll(/#[^\n]*|\bas\s+\w+/g, '').matchAll(/\w+/g))
      found.add(module.endsWith('.') ? `${module}${one}` : `${module}.${one}`)
  }
  for (const { groups } of text.matchAll(/^[ \t]*import[ \t]+(?<list>[^\n#;]*)/gm)) {
    for (const one of (groups?.['list'] ?? '').slice(0, maxImport).split(','))
      found.add(one.trim().split(/\s/)[0] ?? '')
  }
  return [...found]
}
