export default async function tearDown() {
  await globalThis.embeddedMongo?.stop()
}
