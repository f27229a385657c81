import { readFile } from 'node:fs/promises'
import { FerryError } from '../domain/errors.ts'

/** The text of the file that a plan's `caFile` names. @throws FerryError `CaFileUnreadable`, kind `plan-invalid` */
export const readCa = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new FerryError('plan-invalid', 'CaFileUnreadable', `the certificate file ${file} can not be read`, {
      cause,
      hint: 'correct caFile in the plan: a readable PEM file',
    })
  }
}
