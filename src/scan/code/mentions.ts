import { packagesOf } from './framework.ts'
import { jsFrameworks } from './js-frameworks.ts'

const jsPackages = packagesOf(jsFrameworks)
const jsMention = new RegExp(
  `['"\`/:](?:${jsPackages.map((name) => name.replaceAll('/', String.raw`\/`)).join('|')})(?:['"\`/@])`,
)

/** Whether a file may import a framework: what does not name one cannot, and need not be parsed. */
export function mentionsFramework(_name: string, text: string): boolean {
  return jsMention.test(text)
}

/** Modules of the project itself that a file names, found without a parser. */
export function modulesNamed(_name: string, text: string): readonly string[] {
  const found = new Set<string>()
  const form =
    /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(?<quote>['"])(?<module>(?:\.{1,2}|[@~#])\/[^'"\n]{1,512}|\.{1,2})\k<quote>/g
  for (const { groups } of text.matchAll(form)) {
    const module = groups?.['module']
    if (module !== undefined) found.add(module)
  }
  return [...found]
}
