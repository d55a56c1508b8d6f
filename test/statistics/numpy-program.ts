/** What numpy answers: a program that reads cases.json and array files from its folder and writes answers.json there. */
export const NUMPY_PROGRAM = `
import json, sys, warnings
from pathlib import Path
import numpy as np

warnings.simplefilter('ignore')
np.seterr(all='ignore')
folder = Path(sys.argv[1])

def plain(value):
    if isinstance(value, (bool, np.bool_)): return bool(value)
    if isinstance(value, (int, np.integer)): return str(int(value))
    return float(value)

def compute(a, op, axis, keepdims, ddof, nan):
    floating = a.dtype.kind == 'f'
    if nan == 'raise' and floating and np.isnan(a).any(): return 'nan_found'
    omit = nan == 'omit' and floating
    # float64 accumulation, and whole numbers of any size.
    wide = a.astype('f8') if floating else a.astype(object) if a.dtype.kind != 'b' else a.astype('i8').astype(object)
    real = a.astype('f8')
    kw = {'axis': axis, 'keepdims': keepdims}
    if op == 'count':
        present = ~np.isnan(a) if omit else np.ones(a.shape, bool)
        return present.sum(**kw)
    if op == 'sum': return (np.nansum if omit else np.sum)(wide, **kw)
    if op == 'prod': return (np.nanprod if omit else np.prod)(real, **kw)
    if op == 'mean' and not floating and a.size:
        # Whole numbers divide with one rounding in Python.
        total = np.sum(wide, **kw)
        return total / (a.size // np.size(total))
    if op == 'mean': return (np.nanmean if omit else np.mean)(real, **kw)
    if op in ('var', 'std') and not floating and a.size:
        # Exact up to the divisions: as doubles, large integers that differ little would not differ.
        whole = np.array(wide, object, ndmin=1).reshape(a.shape)
        shape = np.shape(np.sum(real, **kw))
        exact = lambda values: np.array(np.sum(values, **kw), object, ndmin=1).reshape(-1)
        squared = np.array([each * each for each in whole.flat], object).reshape(a.shape)
        total = exact(whole)
        n = a.size // total.size
        m2 = (exact(squared) * n - total * total) / n
        value = m2.astype('f8').reshape(shape) / np.float64(max(n - ddof, 0))
        return np.sqrt(value) if op == 'std' else value
    if op in ('var', 'std'):
        return getattr(np, ('nan' if omit else '') + op)(real, ddof=ddof, **kw)
    if op in ('min', 'max', 'argmin', 'argmax'):
        return getattr(np, ('nan' if omit else '') + op)(a, **kw)
    if op == 'ptp':
        if a.dtype.kind == 'f':
            return (np.nanmax(a, **kw) - np.nanmin(a, **kw)) if omit else np.ptp(a, **kw)
        return np.max(wide, **kw) - np.min(wide, **kw)
    b = np.where(np.isnan(a), a.dtype.type(0), a) if omit else a
    if op == 'any': return np.any(b, **kw)
    if op == 'all': return np.all(np.where(np.isnan(a), a.dtype.type(1), a) if omit else a, **kw)
    if op == 'count_nonzero': return np.count_nonzero(b, **kw)
    raise KeyError(op)

answers = []
for number, case in enumerate(json.loads((folder / 'cases.json').read_text())):
    a = np.memmap(folder / f'{number}.bin', dtype=case['dtype'], mode='r', offset=case['offset'],
                  shape=tuple(case['shape']), order=case['order']) if case['size'] else np.zeros(case['shape'], case['dtype'])
    s = np.asarray(a)[tuple(slice(*part) for part in case['slices'])]
    axis = tuple(case['axis']) if isinstance(case['axis'], list) else case['axis']
    results = {}
    for op in case['ops']:
        try:
            if op.startswith('arg') and isinstance(axis, tuple): axis_ = axis[0]
            else: axis_ = axis
            value = compute(s, op, axis_, case['keepdims'], case['ddof'], case['nan'])
            results[op] = value if isinstance(value, str) else {
                'shape': list(np.shape(value)), 'values': [plain(v) for v in np.ravel(np.asarray(value))]}
        except ValueError as error:
            results[op] = 'empty_selection'
    answers.append(results)
(folder / 'answers.json').write_text(json.dumps(answers))
`;
