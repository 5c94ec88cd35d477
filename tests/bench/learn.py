"""learn.py FOLDER N: scikit-learn on the matrix of like N. Prints its seconds of wall clock and of processor for the fit at C = 1, then for the grid over form and C, each fitted once; then of our
scores, of its at C = 1, and of the best of the grid: area under the curve, lift at 10 % and at 1 %; and the sum of our chances by how many are true."""
import csv
import sys
import time

import numpy
from scipy.sparse import diags
from sklearn.datasets import load_svmlight_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

where, n = sys.argv[1:]
x, y = load_svmlight_file('%s/like%s.libsvm' % (where, n))
rows = list(csv.DictReader(open('%s/like%s.scores.csv' % (where, n))))        # in the same order, without the seeds
hidden = {r['id'] for r in csv.DictReader(open('%s/hidden%s.csv' % (where, n)))}
ours, true = numpy.array([float(r['score']) for r in rows]), numpy.array([r['id'] in hidden for r in rows])
assert len(ours) == (y < 0).sum() and true.sum() == len(hidden)


def judged(scores):
    order = numpy.argsort(-scores, kind='stable')
    return [roc_auc_score(true, scores)] + [true[order[:len(scores) // part]].mean() / true.mean() for part in (10, 100)]


def fitted(matrix, c):
    return LogisticRegression(C=c, class_weight='balanced', max_iter=1000).fit(matrix, y).decision_function(matrix)[y < 0]


def clocks():
    return numpy.array([time.monotonic(), time.process_time()])


began = clocks()
plain = fitted(x, 1)
one = clocks()
idf = x @ diags(numpy.log((1 + x.shape[0]) / (1 + numpy.asarray((x > 0).sum(0)).ravel())) + 1)
lengths = numpy.sqrt(numpy.asarray(idf.multiply(idf).sum(1)).ravel())
unit = diags(1 / numpy.where(lengths > 0, lengths, 1)) @ idf
scores = [fitted(matrix, c) for matrix, cs in ((x, (0.001, 0.01, 0.1)), (unit, (0.01, 0.1, 1))) for c in cs] + [plain]
all_of_them = clocks()
chances = numpy.array([float(r['probability']) for r in rows]).sum() / true.sum()
print(*(one - began), *(all_of_them - began), *judged(ours), *judged(plain), *max(judged(s) for s in scores), chances)
