// Reads the form into one object, leaving out what was not filled in, and saves it.
const picked = name => (document.querySelector(`input[name=${name}]:checked`) || {}).value;
document.getElementById('date').valueAsDate = new Date();
document.getElementById('save').onclick = () => {
  const calls = [...document.querySelectorAll('section')].map(sheet => {
    const call = +sheet.dataset.call;
    const rows = [...sheet.querySelectorAll('tr[data-row]')].map(row => ({row: +row.dataset.row,
      did: picked(`c${call}r${row.dataset.row}`), said: row.querySelector('.said').value.trim() || undefined}))
      .filter(row => row.did || row.said).map(row => ({...row, did: row.did && row.did === 'yes'}));
    const scores = [0, 1, 2, 3, 4].map(at => +picked(`c${call}s${at}`) || 0);
    const findings = sheet.querySelector('textarea').value.trim() || undefined;
    return {call, rows, scores: scores.some(Boolean) ? scores : undefined, findings};
  }).filter(one => one.rows.length || one.scores || one.findings);
  const by = document.getElementById('by').value.trim(), date = document.getElementById('date').value;
  const told = {...JSON.parse(document.body.dataset.about), by, date, calls};
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 2)], {type: 'application/json'}));
  link.download = `results-${told.flow}-${(by || 'somebody').replace(/[^a-zA-Z0-9]+/g, '-')}.json`;
  link.click();
};
