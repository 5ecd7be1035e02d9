"use strict";
(() => {
  const root = document.documentElement;
  const secret = root.dataset.secret;
  let trusted = root.dataset.trusted === "true";

  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };

  const ask = (command, parameters = {}, body = undefined) => {
    const query = new URLSearchParams({ __debugger__: "yes", cmd: command, s: secret, ...parameters });
    const options = body === undefined
      ? { credentials: "same-origin" }
      : { method: "POST", body, headers: { "Content-Type": "text/plain; charset=utf-8" } };
    return fetch(location.pathname + "?" + query, options);
  };

  // -- copying and the theme

  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }

  const theme = document.getElementById("theme");
  if (theme) {
    const store = (value) => { try { localStorage.setItem("costrel-theme", value); } catch { /* not allowed */ } };
    let kept = null;
    try { kept = localStorage.getItem("costrel-theme"); } catch { /* not allowed */ }
    const show = (name) => {
      root.dataset.theme = name;
      theme.textContent = name === "dark" ? "Light" : "Dark";
    };
    show(kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
    theme.addEventListener("click", () => {
      show(root.dataset.theme === "dark" ? "light" : "dark");
      store(root.dataset.theme);
    });
  }

  // A link within a summary must not open or close it.
  for (const link of document.querySelectorAll("summary a")) {
    link.addEventListener("click", (event) => event.stopPropagation());
  }

  // -- the consoles

  const open = async (place) => {
    place.replaceChildren();
    if (trusted && place.dataset.then === "reload") return location.reload();
    if (trusted) return showConsole(place);
    ask("printpin");
    const input = make("input", { name: "pin", autocomplete: "off", spellcheck: false, placeholder: "xxxx-xxxx-xxxx-xxxx" });
    input.setAttribute("aria-label", "PIN");
    const remark = make("span", { className: "quiet", textContent: "The PIN is in the terminal where the server runs." });
    const form = make("form", { className: "pin" }, input, make("button", { textContent: "Unlock" }), remark);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await (await ask("pinauth", { pin: input.value })).json().catch(() => ({}));
      if (answer.auth) {
        trusted = true;
        return open(place);
      }
      remark.className = "wrong";
      remark.textContent = answer.exhausted
        ? "Too many wrong PINs. Start the server again to get another try."
        : "That is not the PIN.";
      input.select();
    });
    place.append(form);
    input.focus();
  };

  const showConsole = (place) => {
    const output = make("pre", { className: "output" });
    const prompt = make("span", { className: "prompt", textContent: ">>>" });
    const input = make("textarea", { rows: 1, spellcheck: false, autocomplete: "off" });
    input.setAttribute("aria-label", "Python");
    input.setAttribute("autocapitalize", "off");
    const tips = make("p", { className: "tips" });
    tips.textContent = "Enter runs, Shift+Enter makes a line, ↑ brings back. dump() shows the variables, dump(x) what is in x.";
    const history = [];
    let place_in_history = 0;
    const fit = () => { input.style.height = "auto"; input.style.height = input.scrollHeight + "px"; };

    // Lines run one after another, however fast they are entered.
    let waiting = 0;
    let last = Promise.resolve();
    const run = () => {
      const code = input.value;
      if (code.trim()) history.push(code);
      place_in_history = history.length;
      input.value = "";
      fit();
      waiting += 1;
      last = last.then(() => send(code));
    };

    const send = async (code) => {
      let html, more = false;
      try {
        const response = await ask("eval", { frm: place.dataset.frame }, code);
        more = response.headers.get("X-Console-More") === "1";
        if (response.headers.has("X-Console-More")) html = await response.text();
        else output.append(make("span", { className: "traceback", textContent: response.status === 404 ? await response.text() + "\n" : "The console did not answer: reload the page.\n" }));
      } catch {
        output.append(make("span", { className: "traceback", textContent: "The server does not answer.\n" }));
      }
      if (html !== undefined) {
        // Every value in it was escaped where it was made; and no script but this one may run here.
        const part = make("span", { innerHTML: html });
        for (const rest of part.querySelectorAll(".extended")) fold(rest);
        output.append(part);
        if (!html.endsWith("\n")) output.append("\n");
      }
      prompt.textContent = more ? "..." : ">>>";
      waiting -= 1;
      if (more && code.trim() && !waiting && !input.value) {
        input.value = /^\s*/.exec(code.split("\n").pop())[0] + (code.trimEnd().endsWith(":") ? "    " : "");
      }
      fit();
      input.scrollIntoView({ block: "nearest" });
    };

    const recall = (step) => {
      place_in_history = Math.min(history.length, Math.max(0, place_in_history + step));
      input.value = history[place_in_history] ?? "";
      fit();
    };

    input.addEventListener("input", fit);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        run();
      } else if (event.key === "ArrowUp" && !input.value.slice(0, input.selectionStart).includes("\n")) {
        event.preventDefault();
        recall(-1);
      } else if (event.key === "ArrowDown" && !input.value.slice(input.selectionEnd).includes("\n")) {
        event.preventDefault();
        recall(1);
      } else if (event.key === "Tab" && !event.shiftKey && /(^|\n)[ ]*$/.test(input.value.slice(0, input.selectionStart)) && input.value) {
        event.preventDefault();
        input.setRangeText("    ", input.selectionStart, input.selectionEnd, "end");
      } else if (event.key === "l" && event.ctrlKey) {
        event.preventDefault();
        output.replaceChildren();
      }
    });
    place.append(output, make("div", { className: "entry" }, prompt, input), tips);
    input.focus({ preventScroll: true });
    fit();
  };

  const fold = (rest) => {
    const button = make("button", { type: "button", className: "more", textContent: "…" });
    button.addEventListener("click", () => { rest.classList.remove("folded"); button.remove(); });
    rest.classList.add("folded");
    rest.before(button);
  };

  for (const place of document.querySelectorAll(".console")) {
    if (place.dataset.open) open(place);
    else place.querySelector(".open-console").addEventListener("click", () => open(place));
  }
})();
