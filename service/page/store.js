/** What this browser keeps of its own: the last takes with their results, and takes that wait. */

const NAME = "nativeear";
const STORES = {
  takes: { keyPath: "id" }, // { id, at, text, file, assessment }
  waiting: { keyPath: "at" }, // { at, text, file, fields }
  lasts: { keyPath: "said" }, // { said, overall, words } of the last take of a text
};
const MOST_TAKES = 10;

let opened = null;

function open() {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      for (const [store, options] of Object.entries(STORES)) asked.result.createObjectStore(store, options);
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  return opened;
}

/** One request of a store; null where the browser keeps nothing, as in some private windows. */
async function ask(store, mode, request) {
  try {
    const database = await open();
    return await new Promise((done, fail) => {
      const asked = request(database.transaction(store, mode).objectStore(store));
      asked.onsuccess = () => done(asked.result ?? null);
      asked.onerror = () => fail(asked.error);
    });
  } catch {
    return null;
  }
}

const all = async (store) => (await ask(store, "readonly", (kept) => kept.getAll())) ?? [];

export const takeOf = (id) => ask("takes", "readonly", (kept) => kept.get(id));

/** Keep a take; the oldest goes where there are too many. */
export async function keepTake(take) {
  await ask("takes", "readwrite", (kept) => kept.put(take));
  const oldest = (await all("takes")).sort((one, other) => other.at - one.at).slice(MOST_TAKES);
  for (const { id } of oldest) await ask("takes", "readwrite", (kept) => kept.delete(id));
}

export const lastOf = (said) => ask("lasts", "readonly", (kept) => kept.get(said));
export const keepLast = (last) => ask("lasts", "readwrite", (kept) => kept.put(last));

export const waiting = () => all("waiting");
export const keepWaiting = (take) => ask("waiting", "readwrite", (kept) => kept.put(take));
export const endWaiting = (at) => ask("waiting", "readwrite", (kept) => kept.delete(at));

/** Forget everything: of somebody who signs out, or deletes his data. */
export async function forgetAll() {
  for (const store of Object.keys(STORES)) await ask(store, "readwrite", (kept) => kept.clear());
  for (const name of await globalThis.caches?.keys() ?? []) await caches.delete(name);
}
