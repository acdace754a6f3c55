# The script of the page: tables that sort by a click on a heading, and a field that
# filters the longer ones.  Without it the page shows the same.
package Script;

use strict;
use warnings;

use Digest::SHA ();

sub js
{
	return <<'JS';
'use strict';
(function () {
	function value(row, column) {
		const cell = row.cells[column];
		const text = cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
		const number = text.replace(/,/g, '').replace(/ %$/, '');
		return cell.classList.contains('num') && number !== '' && !isNaN(number) ? Number(number) : text;
	}
	function order(a, b) {
		if (a === '' || b === '') { return a === b ? 0 : a === '' ? -1 : 1; }
		return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
	}
	function sort(table, heading) {
		const up = heading.getAttribute('aria-sort') !== 'ascending';
		const body = table.tBodies[0];
		table.querySelectorAll('th').forEach(h => h.removeAttribute('aria-sort'));
		heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
		Array.from(body.rows).sort((a, b) => (up ? 1 : -1) * order(value(a, heading.cellIndex), value(b, heading.cellIndex)))
			.forEach(row => body.appendChild(row));
	}
	function filter(table) {
		const field = document.createElement('input');
		field.type = 'search';
		field.placeholder = 'Filter';
		field.setAttribute('aria-label', 'Filter ' + table.caption.textContent);
		field.addEventListener('input', () => Array.from(table.tBodies[0].rows).forEach(row => {
			row.hidden = !row.textContent.toLowerCase().includes(field.value.toLowerCase());
		}));
		table.parentNode.before(field);
	}
	document.querySelectorAll('table').forEach(table => {
		table.querySelectorAll('th').forEach(heading => {
			heading.tabIndex = 0;
			heading.addEventListener('click', () => sort(table, heading));
			heading.addEventListener('keydown', event => { if (event.key === 'Enter') { sort(table, heading); } });
		});
		if (table.tBodies[0].rows.length > 10) { filter(table); }
	});
})();
JS
}

# Returns what the policy of the page says of the script: this one, and no other.
sub source { return "'sha256-" . Digest::SHA::sha256_base64("\n" . js()) . "='"; }

1;
