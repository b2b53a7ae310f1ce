import { join } from 'node:path'
import { mainPath } from './own-home.ts'

/** Where the build puts the files of the page: in a folder beside that of the program. */
export const pageFolder: string = join(mainPath, '../../dashboard/web')
