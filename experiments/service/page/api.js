"use strict";
// Asking the server: JSON, pieces of HTML, files and live events; the token goes in a header and nowhere else.
const Api = (() => {
  const STORED = "nas-token";
  const RETRY_MS = 3000;

  class Problem extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  async function ask(path, options = {}, again = true) {
    const token = sessionStorage.getItem(STORED);
    const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    let answer;
    try {
      answer = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, "The server can't be reached. Is nas serve still running?");
    }
    if (answer.status === 401 && again && await askToken()) return ask(path, options, false);
    if (answer.status === 429 && again) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return ask(path, options, false);
    }
    if (!answer.ok) throw new Problem(answer.status, await message(answer));
    return answer;
  }

  async function message(answer) {
    try {
      return (await answer.json()).error.message;
    } catch {
      return `The server answered ${answer.status}.`;
    }
  }

  let asking = null;

  // One question, however many requests wait for its answer.
  function askToken() {
    asking ??= new Promise((resolve) => {
      const dialog = document.getElementById("token");
      dialog.addEventListener("close", () => {
        const given = dialog.querySelector("input").value.trim();
        dialog.querySelector("input").value = "";
        asking = null;
        if (dialog.returnValue === "use" && given) sessionStorage.setItem(STORED, given);
        resolve(dialog.returnValue === "use" && given !== "");
      }, { once: true });
      dialog.showModal();
    });
    return asking;
  }

  const json = async (path, options) => (await ask(path, options)).json();
  const html = async (path, options) => (await ask(path, options)).text();

  // Changing something needs the token, also where reading does not.
  const send = (method, path) => ask(path, { method });

  async function download(path, name) {
    const answer = await ask(path);
    const url = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  // Server-sent events by fetch: an EventSource can't send a token. It begins again when the connection breaks.
  async function listen(handlers, onState) {
    for (;;) {
      try {
        const answer = await ask("/api/events");
        onState(true);
        await read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), handlers);
      } catch { /* The state below says it. */ }
      onState(false);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async function read(reader, handlers) {
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const events = buffer.split("\n\n");
      buffer = events.pop();
      for (const event of events) {
        const fields = Object.fromEntries(event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
        if (fields.event) handlers[fields.event]?.(JSON.parse(fields.data));
      }
    }
  }

  return { json, html, send, download, listen, Problem };
})();
