// What the operator's role may do, for display: only the server decides. What the page
// marks with data-right is shown to whoever has it.

const rights = {
  viewer: ['read', 'readAll'],
  minter: ['read', 'mint'],
  admin: ['read', 'readAll', 'mint', 'change'],
};
rights.owner = rights.admin;

let mine = [];

// grant shows what a role may do. One that is not known here may do everything.
export function grant(role) {
  mine = rights[role] ?? rights.admin;
  document.body.dataset.may = mine.join(' ');
}

export const may = (right) => mine.includes(right);
