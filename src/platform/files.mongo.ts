import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { GridFSBucket, ObjectId, type Db } from 'mongodb'
import { fileId, makeIncoming, missing, removeFile, safe, type Files } from './files.js'

type Stored = { _id: ObjectId; filename: string; uploadDate: Date; metadata: { companyId: string; id: string } }

type Needs = {
  db: Db
  /** Collections `<bucket>.files` and `<bucket>.chunks`. */
  bucket: string
  /** Where files arrive before they are kept, and stand while they are read. */
  directory: string
}

/** In GridFS, for several processes over one MongoDB. Behaves as `makeDiskFiles` does. */
export const makeGridFiles = ({ db, bucket: bucketName, directory }: Needs): Files => {
  const bucket = new GridFSBucket(db, { bucketName })
  const stored = db.collection<Stored>(`${bucketName}.files`)
  const chunks = db.collection<{ files_id: ObjectId; n: number }>(`${bucketName}.chunks`)
  const incoming = makeIncoming(directory)
  const nameOf = (companyId: string, id: string) => `${safe(companyId)}/${fileId(id)}`

  /** Two who keep the same file at once store it twice; each copy is whole, and they are removed together. */
  const found = async (companyId: string, id: string): Promise<ObjectId> => {
    const file = await stored.findOne({ filename: nameOf(companyId, id) }, { projection: { _id: 1 } })
    if (!file) throw missing()
    return file._id
  }

  return {
    receive: incoming.receive,

    keep: async (companyId, { id, path }) => {
      const filename = nameOf(companyId, id)
      const again = await stored.updateOne({ filename }, { $currentDate: { uploadDate: true } })
      if (again.matchedCount === 0) {
        // The file's own entry is written after its last chunk, each with the majority's journal.
        await pipeline(createReadStream(path), bucket.openUploadStream(filename, { metadata: { companyId, id } }))
      }
      await removeFile(path)
    },

    open: async (companyId, id, part) =>
      // Here the end is the first byte that is left out.
      bucket.openDownloadStream(await found(companyId, id), part && { start: part.first, end: part.last + 1 }),

    withPath: async (companyId, id, use) => {
      const place = await incoming.place()
      try {
        await pipeline(bucket.openDownloadStream(await found(companyId, id)), createWriteStream(place, { mode: 0o600 }))
        return await use(place)
      } finally {
        await removeFile(place)
      }
    },

    remove: async (companyId, id) => {
      const copies = await stored.find({ filename: nameOf(companyId, id) }, { projection: { _id: 1 } }).toArray()
      for (const { _id } of copies) await bucket.delete(_id)
    },

    keptBefore: async function* (time) {
      const old = stored.find({ uploadDate: { $lt: time } }, { projection: { metadata: 1 } })
      for await (const { metadata } of old) yield { companyId: metadata.companyId, id: metadata.id }
    },

    clean: async (time) => {
      await incoming.clean(time)
      // Chunks of an upload that was cut off: the file's entry never came.
      const firsts = chunks.find(
        { n: 0, files_id: { $lt: ObjectId.createFromTime(Math.floor(time.getTime() / 1000)) } },
        { projection: { files_id: 1 } },
      )
      for await (const { files_id } of firsts) {
        if (!(await stored.findOne({ _id: files_id }, { projection: { _id: 1 } })))
          await chunks.deleteMany({ files_id })
      }
    },
  }
}
