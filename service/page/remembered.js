/** What the browser remembers by name: for good, and for this visit. Where it refuses, or is full, this page alone does. */

function remembering(storage) {
  const here = new Map();
  const of = (name) => {
    try {
      return window[storage].getItem(name);
    } catch {
      return null;
    }
  };
  const change = (ask) => {
    try {
      ask(window[storage]);
      return true;
    } catch {
      return false;
    }
  };
  return {
    getItem: (name) => here.get(name) ?? of(name),
    setItem: (name, value) => { if (change((kept) => kept.setItem(name, value))) here.delete(name); else here.set(name, String(value)); },
    removeItem: (name) => { here.delete(name); change((kept) => kept.removeItem(name)); },
    clear: () => { here.clear(); change((kept) => kept.clear()); },
  };
}

export const lasting = remembering("localStorage");
export const visit = remembering("sessionStorage");
