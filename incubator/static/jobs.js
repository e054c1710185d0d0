// Follows a job's progress; without this script the page loads itself again.
"use strict";
const box = document.getElementById("job");
async function follow() {
    try {
        const answer = await fetch(box.dataset.status, { headers: { Accept: "application/json" } });
        if (answer.redirected || !answer.ok) return location.reload();
        const job = await answer.json();
        if (!job.is_live) return location.reload();
        document.getElementById("job-state").textContent = job.label;
        const trouble = document.getElementById("job-error");
        trouble.textContent = job.error;
        trouble.hidden = !job.error;
        const bar = document.getElementById("job-progress");
        if (job.percent === null) bar.removeAttribute("value"); else bar.value = job.percent;
        document.getElementById("job-count").textContent = job.total ? `${job.done} / ${job.total}` : "";
    } catch (error) {
        // The network was away for a moment; ask again.
    }
    setTimeout(follow, 1000);
}
setTimeout(follow, 500);
