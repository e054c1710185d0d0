// Keeps the code of a session fresh; without this script the page loads itself again.
"use strict";
const live = document.getElementById("live");
const stale = document.getElementById("stale");
const EVERY = 5; // seconds
const GOOD = 45; // seconds: a code older than this may be over
let shownAt = Date.now();
async function refresh() {
    try {
        const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" } });
        if (answer.redirected) return location.reload(); // to the login
        if (!answer.ok) throw new Error(answer.status);
        const opened = [...live.querySelectorAll("details[open]")].map((part) => part.id);
        const had = document.activeElement?.closest?.("#live details")?.id;
        live.innerHTML = await answer.text();
        for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
        if (had) document.getElementById(had)?.querySelector("summary").focus();
        shownAt = Date.now();
    } catch (error) {
        // The network or the server was away for a moment; ask again.
    }
    stale.hidden = Date.now() - shownAt < GOOD * 1000;
    wait();
}
function wait() {
    const left = Number(live.querySelector("[data-seconds]")?.dataset.seconds ?? EVERY);
    setTimeout(refresh, Math.max(1, Math.min(EVERY, left)) * 1000);
}
wait();
