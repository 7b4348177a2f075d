/** Printing one part of the page. */

import { el } from "./dom.js";

/** A button that prints what `find()` tells, and nothing else of the page. */
export function printButton(find, text) {
  return el("button", {
    type: "button",
    class: "quiet",
    onclick: () => {
      const node = find();
      node.classList.add("to-print");
      document.body.classList.add("prints-one");
      window.addEventListener("afterprint", () => {
        node.classList.remove("to-print");
        document.body.classList.remove("prints-one");
      }, { once: true });
      window.print();
    },
  }, text);
}
